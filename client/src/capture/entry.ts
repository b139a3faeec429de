import { addSegment as addPlain, GenMapping, maybeAddSegment, toEncodedMap } from "@jridgewell/gen-mapping";
import { traceSegment } from "@jridgewell/trace-mapping";
import { pathToFileURL } from "node:url";
import { EVALUATED_SCHEME } from "@burla/protocol";
import { codeRefKey, sourceKey, type CodeRef, type ModuleSource } from "./code-refs.ts";
import { restoreHeap } from "./restore.ts";
import type { Script } from "./script.ts";
import { standaloneText } from "./standalone.ts";
import { sourceMapOf } from "./source-maps.ts";
import { RESOLVE_TEXT } from "./own-place.ts";
import { RESERVED, renderTemplate, type Piece, type Template, type TemplateContext } from "./template.ts";
import { interopText } from "./interop.ts";

/** The module that a bundle starts from. */
export interface Entry {
  code: string;
  /** A source map (JSON) from `code` to the user's own files. */
  map: string;
  /** What the specifiers `burla-import:0`, `burla-import:1`... in the code stand for. */
  imports: ModuleSource[];
}

/** Set by the build: finding it out costs tens of milliseconds in every program that imports this package. */
declare const BURLA_RESTORE_TEXT: string | undefined;

let restoreText: string | undefined;

/** The text of {@link restoreHeap}, which every bundle holds. */
function textOfRestore(): string {
  restoreText ??= typeof BURLA_RESTORE_TEXT === "string" ? BURLA_RESTORE_TEXT : standaloneText(restoreHeap);
  return restoreText;
}

/** The scheme of specifiers that the bundler resolves through {@link Entry.imports}. */
export const IMPORT_SCHEME = "burla-import:";

/** What an entry is to say or do beside giving its function. */
export interface AboutEntry {
  /** Whether the function takes a second argument. */
  wantsContext: boolean;
  /** A module that adds to `Reflect`, and so is to run before all others that are imported. */
  first?: ModuleSource | undefined;
}

/** Writes the module: imports, makers of the functions, and the default export that restores the captured values. */
export function emitEntry(templates: readonly Template[], codes: readonly CodeRef[], { wantsContext, first }: AboutEntry): Entry {
  const names = new CodeNames(templates);
  const context = new EntryContext(names);
  const makers = templates.flatMap((template, index) => [
    { text: `${index === 0 ? "" : ","}\n` },
    ...renderTemplate(template, context),
  ]);
  const table = codes.map((ref) => names.nameOf(ref));
  const pieces: Piece[] = [
    { text: `${context.header(templates, { first, usesReflect: usesReflect(templates, codes) })}\nconst ${RESERVED}state = { installing: false };\nconst ${RESERVED}makers = [` },
    ...makers,
    { text: `\n];\nconst ${RESERVED}codes = [${table.join(", ")}];\n` },
    { text: `const ${RESERVED}restore = ${textOfRestore()};\n` },
    { text: `export default async (values) => ${RESERVED}restore(values, ${RESERVED}v8, ${RESERVED}makers, ${RESERVED}codes, ${RESERVED}state);\n${contextText(wantsContext)}` },
  ];
  return { code: pieces.map(({ text }) => text).join(""), map: mapOf(pieces), imports: context.imports };
}

/** The entry for a function that a module exports, perhaps with the function `setup`: nothing of them is copied. */
export function emitReexport(refs: readonly CodeRef[], { wantsContext, first }: AboutEntry): Entry {
  const names = new CodeNames([]);
  const context = new EntryContext(names);
  const [name = "", ...more] = refs.map((ref) => names.nameOf(ref));
  const code = `${context.header([], { first })}\nexport default async () => ${more.length === 0 ? name : `[${[name, ...more].join(", ")}]`};\n${contextText(wantsContext)}`;
  return { code, map: mapOf([{ text: code }]), imports: context.imports };
}

/** Tells the worker that its calls have one argument. */
export function contextText(wantsContext: boolean): string {
  return wantsContext ? "" : `const ${RESERVED}takesContext = false;\nexport { ${RESERVED}takesContext as takesContext };\n`;
}

/** Finds names for what a stretch of a script needs around it, and the lines that supply it. */
export class EntryScope {
  readonly #names = new CodeNames([]);
  readonly context: TemplateContext & { imports: ModuleSource[] } = new EntryContext(this.#names);

  /** Puts the pieces below the lines that they need, as an entry. */
  finish(pieces: readonly Piece[]): Entry {
    const all = [{ text: `${(this.context as EntryContext).header([])}\n` }, ...pieces];
    return { code: all.map(({ text }) => text).join(""), map: mapOf(all), imports: this.context.imports };
  }
}

/** Gives each value that code makes a name at the top of the module. */
class CodeNames {
  readonly byKey = new Map<string, { name: string; ref: CodeRef }>();
  readonly #taken = new Map<string, string>();
  readonly #foreign = new Set<string>();

  constructor(templates: readonly Template[]) {
    for (const { supplies, syntax } of templates) {
      for (const { name } of syntax.freeNames) {
        const supply = supplies.get(name);
        if (supply === undefined || supply.kind === "global") this.#foreign.add(name);
        else if (supply.kind === "code") this.#claim(name, codeRefKey(supply.ref));
      }
    }
  }

  nameOf(ref: CodeRef): string {
    if (ref.kind === "global") return ref.expression;
    const key = codeRefKey(ref);
    const known = this.byKey.get(key);
    if (known !== undefined) return known.name;
    const wanted = ref.alias;
    const name =
      wanted !== undefined && this.#taken.get(wanted) === key && !this.#foreign.has(wanted)
        ? wanted
        : `${RESERVED}i${this.byKey.size}`;
    this.byKey.set(key, { name, ref });
    return name;
  }

  /** A name can stand at the top if every text that uses it means the same by it. */
  #claim(name: string, key: string): void {
    const taken = this.#taken.get(name);
    if (taken === undefined) this.#taken.set(name, key);
    else if (taken !== key) this.#foreign.add(name);
    if (name.startsWith(RESERVED)) this.#foreign.add(name);
  }
}

class EntryContext implements TemplateContext {
  readonly imports: ModuleSource[] = [];
  readonly #names: CodeNames;
  readonly #importIds = new Map<string, number>();
  readonly #helpers = new Map<string, string>();

  constructor(names: CodeNames) {
    this.#names = names;
  }

  codeName(ref: CodeRef): string {
    return this.#names.nameOf(ref);
  }

  metaName(script: Script): string {
    return this.#helper("meta", script, (url) => {
      const file = script.file ?? `${process.cwd()}/[eval]`;
      const paths = `, filename: ${JSON.stringify(file)}, dirname: ${JSON.stringify(file.replace(/[/\\][^/\\]*$/, ""))}`;
      return `{ url: ${url}${paths}, resolve: (specifier) => ${RESERVED}resolve(specifier, ${url}) }`;
    });
  }

  importerName(script: Script): string {
    return this.#helper("import", script, (url) => `(specifier) => import(${RESERVED}resolve(specifier, ${url}))`);
  }

  requireName(script: Script): string {
    return this.#helper("require", script, (url) => `${RESERVED}createRequire(${url})`);
  }

  specifier(script: Script, specifier: string, how: "import" | "require"): string {
    return this.#specifierOf({ specifier, from: script.file ?? process.cwd(), how });
  }

  /** Everything above the makers. Call it after the templates are rendered. What imports nothing of the user's needs no module to be `first`. */
  header(templates: readonly Template[], { first, usesReflect = false }: { first?: ModuleSource | undefined; usesReflect?: boolean } = {}): string {
    const lines: string[] = [];
    const late: string[] = [];
    let interops = false;
    for (const { name, ref } of this.#allNames(templates)) {
      if (ref.kind === "global") continue;
      interops ||= ref.interop !== undefined;
      const [first, second] = this.#importLines(name, ref);
      lines.push(first);
      if (second !== "") late.push(second);
    }
    if (this.#helpers.size > 0) {
      lines.push(`import { createRequire as ${RESERVED}createRequire } from "node:module";`);
      late.unshift(`const ${RESERVED}resolve = ${RESOLVE_TEXT};`);
    }
    if (interops) late.unshift(interopText());
    const isFree = this.imports.length === 0 && !usesReflect;
    const before = first === undefined || isFree ? [] : [`import ${JSON.stringify(this.#specifierOf(first))};`];
    return [`import * as ${RESERVED}v8 from "node:v8";`, ...before, ...lines, ...late, ...this.#helpers.values()].join("\n");
  }

  *#allNames(templates: readonly Template[]): Generator<{ name: string; ref: CodeRef }> {
    for (const { supplies } of templates) {
      for (const supply of supplies.values()) if (supply.kind === "code") this.#names.nameOf(supply.ref);
    }
    yield* this.#names.byKey.values();
  }

  #importLines(name: string, ref: CodeRef & { kind: "module" }): [string, string] {
    const { source, path, interop } = ref;
    const access = path.map((key) => `[${JSON.stringify(key)}]`).join("");
    const specifier = JSON.stringify(this.#specifierOf(source));
    const attributes = source.attributes === undefined ? "" : ` with ${JSON.stringify(source.attributes)}`;
    const isRequired = source.how === "require";
    if (isRequired && !isLeftAsIs(source)) {
      const base = interop === undefined ? `require(${specifier})` : `${RESERVED}interop(${JSON.stringify(interop)}, require(${specifier}))`;
      return ["", `const ${name} = ${base}${access};`];
    }
    const imported = isRequired ? requiredName(source) : ref.name;
    if (access === "" && interop === undefined) return [`import ${bindingText(imported, name)} from ${specifier}${attributes};`, ""];
    const inner = `${name}$`;
    const base = interop === undefined ? inner : `${RESERVED}interop(${JSON.stringify(interop)}, ${inner})`;
    return [`import ${bindingText(imported, inner)} from ${specifier}${attributes};`, `const ${name} = ${base}${access};`];
  }

  #specifierOf(source: ModuleSource): string {
    if (isLeftAsIs(source)) {
      if (source.specifier === "burla" && !this.#importIds.has("burla")) this.#importIds.set("burla", -1);
      return source.specifier;
    }
    const key = sourceKey(source);
    let id = this.#importIds.get(key);
    if (id === undefined) {
      id = this.imports.push(source) - 1;
      this.#importIds.set(key, id);
    }
    return `${IMPORT_SCHEME}${id}`;
  }

  #helper(kind: string, script: Script, text: (url: string) => string): string {
    const name = `${RESERVED}${kind}${script.id}`;
    if (!this.#helpers.has(name)) {
      const url = script.file === undefined ? pathToFileURL(`${process.cwd()}/[eval]`).href : pathToFileURL(script.file).href + script.suffix;
      this.#helpers.set(name, `const ${name} = ${text(JSON.stringify(url))};`);
    }
    return name;
  }
}

/** Whether the code asks for what a library may have added to `Reflect`. */
function usesReflect(templates: readonly Template[], codes: readonly CodeRef[]): boolean {
  return templates.some(({ supplies }) => supplies.get("Reflect")?.kind === "global") || codes.some((ref) => ref.kind === "global" && ref.expression.startsWith("Reflect"));
}

/** Modules that are on every worker. */
function isLeftAsIs({ specifier }: ModuleSource): boolean {
  return specifier.startsWith("node:") || specifier === "burla";
}

/** The import that gives what `require` does: the default export of a module of Node, all of ours. */
function requiredName({ specifier }: ModuleSource): string {
  return specifier === "burla" ? "*" : "default";
}

function bindingText(imported: string, local: string): string {
  if (imported === "*") return `* as ${local}`;
  if (imported === "default") return local;
  return imported === local ? `{ ${local} }` : `{ ${/^[\w$]+$/.test(imported) ? imported : JSON.stringify(imported)} as ${local} }`;
}

function mapOf(pieces: readonly Piece[]): string {
  const map = new GenMapping({});
  let line = 0;
  let column = 0;
  for (const { text, script, at } of pieces) {
    let offset = 0;
    for (const part of text.split(/(\n)|(?<=\W)(?=\w)/)) {
      if (part === undefined || part === "") continue;
      if (script !== undefined && at !== undefined && part !== "\n") addSegment(map, line, column, script, at + offset);
      offset += part.length;
      if (part === "\n") {
        line++;
        column = 0;
      } else {
        column += part.length;
      }
    }
    if (script !== undefined) addPlain(map, line, column);
  }
  return JSON.stringify(toEncodedMap(map));
}

function addSegment(map: GenMapping, line: number, column: number, script: Script, offset: number): void {
  const position = script.positionOf(offset);
  const upstream = sourceMapOf(script);
  if (upstream === undefined) {
    const source = script.file === undefined ? `${EVALUATED_SCHEME}${script.url || "eval"}` : pathToFileURL(script.file).href;
    maybeAddSegment(map, line, column, source, position.line, position.column);
    return;
  }
  const traced = traceSegment(upstream, position.line, position.column);
  if (traced === null || traced.length === 1) return;
  maybeAddSegment(map, line, column, upstream.sources[traced[1]] ?? "", traced[2], traced[3]);
}
