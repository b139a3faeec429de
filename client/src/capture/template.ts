import type * as ESTree from "estree";
import { namedByCode, staticFieldsOf } from "./class-members.ts";
import type { CodeRef } from "./code-refs.ts";
import type { FunctionSite } from "./analysis.ts";
import { isMethodText, privateMembersOf, type FreeName, type FunctionSyntax } from "./free-names.ts";
import type { Script } from "./script.ts";
import { ancestorsAt, contains, isClassNode, stringValue, type Node } from "./syntax.ts";
import { viteSpecifier } from "./vite-modules.ts";

/** A stretch of the text that is made: with the place in a script that it was copied from, if it was. */
export interface Piece {
  text: string;
  script?: Script;
  at?: number;
}

/** How one free name is supplied to the function where it runs. */
export type Supply =
  /** A variable of its own, whose value comes with the data. */
  | { kind: "value" }
  /** A variable that several functions share and at least one of them changes: a box around the value. */
  | { kind: "cell" }
  | { kind: "code"; ref: CodeRef }
  /** The `require` of the user's file. */
  | { kind: "require" }
  /** A name that a compiler has put in the place of `import.meta`, */
  | { kind: "meta" }
  /** or of `import(...)`. */
  | { kind: "import" }
  /** Left as it is. */
  | { kind: "global" };

/** One function text of the user's program; many functions may be made from it. */
export interface Template {
  index: number;
  script: Script;
  site: FunctionSite;
  syntax: FunctionSyntax;
  name: string;
  supplies: Map<string, Supply>;
  /** The names whose values come with the data, in the order in which they do. */
  slots: string[];
}

/** What the text around a template must provide: see {@link renderTemplate}. */
export interface TemplateContext {
  /** The name, at the top of the bundle, of a value that code makes. */
  codeName(ref: CodeRef): string;
  /** The name of a function that imports relative to the script: `(specifier) => promise`. */
  importerName(script: Script): string;
  /** The name of the object that stands for the script's `import.meta`. */
  metaName(script: Script): string;
  /** The name of the script's own `require`. */
  requireName(script: Script): string;
  /** The specifier to write in an `import(...)` or `require(...)` that the bundler shall follow. */
  specifier(script: Script, specifier: string, how: "import" | "require"): string;
}

/** Puts `text` in the place of a stretch of the script. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Names that start like this are ours. */
export const RESERVED = "$burla_";

/**
 * The text of a maker: `function () { ... return [bind, make]; }`. `make` gives the function, `bind` sets the variables
 * that it closes over, which may only exist after it. A maker is called with the function's outer `this`.
 */
export function renderTemplate(template: Template, context: TemplateContext): Piece[] {
  const { supplies, slots } = template;
  const head: string[] = [];
  const declared = slots.filter((name) => name !== "arguments");
  if (declared.length > 0) head.push(`let ${declared.join(", ")};`);
  for (const [name, supply] of supplies) {
    if (supply.kind !== "code") continue;
    const outer = context.codeName(supply.ref);
    if (outer !== name) head.push(`const ${name} = ${outer};`);
  }
  const targets = slots.map((name) => (name === "arguments" ? "" : name));
  const hooks = hooksOf(template);
  if (hooks !== "") head.push(`let ${RESERVED}hooks;`);
  const bind = declared.length === 0 ? "() => {}" : `(${RESERVED}e) => { [${targets.join(", ")}] = ${RESERVED}e; }`;
  const shape = shapeOf(template);
  return [
    { text: `function () { ${head.join(" ")}\nreturn [${bind}, (${RESERVED}super, ${RESERVED}names) => ${shape.before}` },
    ...applyEdits(template.script, shape.start, template.site.node.end, editsOf(template, context, shape)),
    { text: `${shape.after}${hooks === "" ? "" : `, () => ${RESERVED}hooks`}]; }` },
  ];
}

/**
 * The start of a class body that has private members: a static block which gives out functions to set them, as nothing
 * outside of the class can.
 */
function hooksOf({ site: { node } }: Template): string {
  if (!isClassNode(node)) return "";
  const { fields, staticFields, marksInstances } = privateMembersOf(node);
  if (!marksInstances && staticFields.length === 0) return "";
  const setter = (names: string[]): string =>
    `(${RESERVED}o, ${RESERVED}v) => { [${names.map((name) => `${RESERVED}o.${name}`).join(", ")}] = ${RESERVED}v; }`;
  return `static { ${RESERVED}hooks = { set: ${setter(fields)}, setStatic: ${setter(staticFields)} }; }`;
}

interface Shape {
  before: string;
  /** Where the copied text starts. */
  start: number;
  after: string;
  edits: Edit[];
}

/** How a text that is not an expression, or would lose its name, is put into one. */
function shapeOf(template: Template): Shape {
  const { site, name } = template;
  const { node, textStart } = site;
  const key = JSON.stringify(name);
  if (isMethodText(site)) return methodShape(template);
  const edits: Edit[] = [];
  if (node.type === "FunctionDeclaration" && node.id != null) {
    const id = node.id as ESTree.Identifier & Node;
    // A declaration's own name is a variable of the scope around it, which may hold something else by now.
    edits.push({ start: id.start, end: id.end, text: "" });
  }
  const keepsName = isClassNode(node) ? node.id != null : node.type === "FunctionExpression" && node.id != null;
  if (keepsName) return { before: "(", start: textStart, after: ")", edits };
  return { before: `({ [${key}]: `, start: textStart, after: ` })[${key}]`, edits };
}

function methodShape({ site, script, name }: Template): Shape {
  const { textStart, ancestors } = site;
  const member = ancestors.at(-1) as (ESTree.Property | ESTree.MethodDefinition) & Node;
  const keyNode = member.key as ESTree.Expression & Node;
  const plainName = name.replace(/^(get|set) /, "");
  const key = JSON.stringify(plainName);
  const edits: Edit[] = [];
  if (member.computed) {
    const open = script.source.lastIndexOf("[", keyNode.start);
    const close = script.source.indexOf("]", keyNode.end) + 1;
    edits.push({ start: open, end: close, text: `[${key}]` });
  } else {
    edits.push({ start: keyNode.start, end: keyNode.end, text: `[${key}]` });
  }
  const isAccessor = member.kind === "get" || member.kind === "set";
  return {
    before: isAccessor ? "Object.getOwnPropertyDescriptor({ __proto__: " + `${RESERVED}super, ` : `({ __proto__: ${RESERVED}super, `,
    start: textStart,
    after: isAccessor ? ` }, ${key}).${member.kind}` : ` })[${key}]`,
    edits,
  };
}

function editsOf(template: Template, context: TemplateContext, shape: Shape): Edit[] {
  const { syntax, script, site } = template;
  const edits = [...shape.edits];
  if (isClassNode(site.node)) edits.push(...classEdits(template, site.node, syntax));
  for (const free of syntax.freeNames) edits.push(...nameEdits(template, free, context));
  return [...edits, ...placeEdits(script, syntax, context)];
}

/** Keeps `import.meta` and `import()` meaning what they mean in the user's own file. */
export function placeEdits(script: Script, syntax: Pick<FunctionSyntax, "importMetas" | "dynamicImports">, context: TemplateContext): Edit[] {
  const edits: Edit[] = syntax.importMetas.map(({ start, end }) => ({ start, end, text: context.metaName(script) }));
  for (const node of syntax.dynamicImports) {
    const source = node.source as ESTree.Expression & Node;
    const specifier = stringValue(source);
    if (specifier !== undefined) {
      const text = JSON.stringify(context.specifier(script, specifier, "import"));
      edits.push({ start: source.start, end: source.end, text });
    } else {
      edits.push({ start: node.start, end: node.start + "import".length, text: context.importerName(script) });
    }
  }
  return edits;
}

function classEdits(template: Template, node: ESTree.Class, syntax: FunctionSyntax): Edit[] {
  const edits: Edit[] = privateMembersOf(node).marksInstances ? installEdits(node) : [];
  const hooks = hooksOf(template);
  const body = (node.body as unknown as Node).start + 1;
  if (hooks !== "") edits.unshift({ start: body, end: body, text: hooks });
  const heritage = node.superClass as (ESTree.Expression & Node) | null | undefined;
  if (heritage != null && !(heritage.type === "Literal" && heritage.value === null)) {
    edits.push({ start: heritage.start, end: heritage.end, text: `${RESERVED}super` });
  }
  for (const { start, end } of staticFieldsOf(node)) edits.push({ start, end, text: ";" });
  namedByCode(node).forEach(({ key }, index) => {
    const { start, end } = key as unknown as Node;
    edits.push({ start, end, text: `${RESERVED}names[${index}]` });
  });
  for (const part of syntax.staticInitializers) {
    edits.push({ start: part.start, end: part.end, text: part.type === "StaticBlock" ? ";" : "undefined" });
  }
  return edits;
}

/**
 * While an instance is restored the class only marks it: its constructor and field initializers, which may do anything,
 * are passed over.
 */
function installEdits(node: ESTree.Class): Edit[] {
  const edits: Edit[] = [];
  for (const member of node.body.body) {
    if (member.type === "PropertyDefinition" && !member.static && member.value != null) {
      const { start, end } = member.value as ESTree.Expression & Node;
      edits.push({ start, end: start, text: `${RESERVED}state.installing ? undefined : (` }, { start: end, end, text: ")" });
    }
    if (member.type === "MethodDefinition" && member.kind === "constructor") {
      const start = (member.value.body as unknown as Node).start + 1;
      const stop = node.superClass == null ? "return;" : "{ super(); return; }";
      edits.push({ start, end: start, text: ` if (${RESERVED}state.installing) ${stop} ` });
    }
  }
  return edits;
}

function nameEdits(template: Template, free: FreeName, context: TemplateContext): Edit[] {
  const supply = template.supplies.get(free.name);
  if (supply === undefined || supply.kind === "value" || supply.kind === "code" || supply.kind === "global") return [];
  return free.references.map((reference) => {
    const identifier = reference.identifier as ESTree.Identifier & Node;
    const path = ancestorsAt(template.site.node as Node, identifier.start);
    const parent = path.at(-2);
    switch (supply.kind) {
      case "cell":
        return cellEdit(identifier, parent, path.at(-3));
      case "require":
        return requireEdit(template.script, identifier, parent, context);
      case "meta":
        return { start: identifier.start, end: identifier.end, text: context.metaName(template.script) };
      case "import":
        return importEdit(template.script, identifier, parent, context);
    }
  });
}

function cellEdit(identifier: ESTree.Identifier & Node, parent: Node | undefined, grandparent: Node | undefined): Edit {
  const { name, start, end } = identifier;
  const box = `${name}.v`;
  if (parent?.type === "Property" && parent.shorthand) return { start, end, text: `${name}: ${box}` };
  if (parent?.type === "AssignmentPattern" && grandparent?.type === "Property" && grandparent.shorthand && contains(parent.left as unknown as Node, identifier)) {
    return { start, end, text: `${name}: ${box}` };
  }
  const isCallee =
    (parent?.type === "CallExpression" && contains(parent.callee as unknown as Node, identifier)) ||
    (parent?.type === "TaggedTemplateExpression" && contains(parent.tag as unknown as Node, identifier));
  // Called as a member, the function would see the box as its `this`.
  return { start, end, text: isCallee ? `(0, ${box})` : box };
}

/** Makes a `require` mean what it means in the user's own file. */
export function requireEdit(script: Script, identifier: Node, parent: Node | undefined, context: TemplateContext): Edit {
  const { start, end } = identifier;
  if (parent?.type === "CallExpression" && (parent.callee as unknown) === identifier) {
    const argument = parent.arguments[0] as (ESTree.Expression & Node) | undefined;
    const specifier = stringValue(argument);
    if (specifier !== undefined && argument !== undefined) {
      return { start, end: argument.end, text: `require(${JSON.stringify(context.specifier(script, specifier, "require"))}` };
    }
  }
  return { start, end, text: context.requireName(script) };
}

/** Makes a call that a compiler has put in the place of `import(...)` that again. */
function importEdit(script: Script, identifier: Node, parent: Node | undefined, context: TemplateContext): Edit {
  const { start, end } = identifier;
  const argument = parent?.type === "CallExpression" ? (parent.arguments[0] as (ESTree.Expression & Node) | undefined) : undefined;
  const specifier = stringValue(argument);
  if (specifier === undefined || argument === undefined) return { start, end, text: context.importerName(script) };
  const found = viteSpecifier(specifier, script.file ?? "");
  return { start, end: argument.end, text: `import(${JSON.stringify(context.specifier(script, found, "import"))}` };
}

/** The script's text from `start` to `end` with the edits made. Of two that overlap the first wins. */
export function applyEdits(script: Script, start: number, end: number, edits: Edit[]): Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  for (const edit of edits.sort((a, b) => a.start - b.start)) {
    if (edit.start < at) continue;
    if (edit.start > at) pieces.push({ text: script.source.slice(at, edit.start), script, at });
    pieces.push({ text: edit.text, script, at: edit.start });
    at = edit.end;
  }
  if (at < end) pieces.push({ text: script.source.slice(at, end), script, at });
  return pieces;
}
