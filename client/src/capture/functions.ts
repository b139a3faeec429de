import { dirname } from "node:path";
import { types } from "node:util";
import type * as ESTree from "estree";
import type { Variable } from "eslint-scope";
import { isTopLevel, locate, type FunctionSite } from "./analysis.ts";
import type { CodeRef } from "./code-refs.ts";
import { CaptureError } from "./errors.ts";
import { commonJsModules, commonJsPath, exportedName, exportedNames } from "./exported.ts";
import { readSyntax, type FreeName } from "./free-names.ts";
import type { HeapContexts } from "./heap-contexts.ts";
import { readVariable, UNINITIALISED, type FunctionFacts, type Inspector, type ScopeSnapshot } from "./inspect.ts";
import { classNameOf } from "./kinds.ts";
import { madeFunction, type MadeFunction } from "./made-functions.ts";
import { importOf, isOwnRequire } from "./module-names.ts";
import { isStandardGlobal, type Natives } from "./natives.ts";
import { packageDirectory } from "./packages.ts";
import { pathNames, type Path } from "./path.ts";
import type { Refusal } from "./refusals.ts";
import type { Script } from "./script.ts";
import { takesContext } from "./second-parameter.ts";
import { sessionImport } from "./session-imports.ts";
import { isClassNode, type FunctionNode } from "./syntax.ts";
import type { Supply, Template } from "./template.ts";
import { VITE_DYNAMIC_IMPORT, VITE_IMPORT_META } from "./vite-modules.ts";
import type { World } from "./world.ts";

/** A variable that a function closes over. */
export interface ClosedOver {
  name: string;
  value: unknown;
  /** Where it is declared, if that is in the function's own script. */
  variable: Variable | null;
  /** The scope that holds it; undefined for a global. */
  scope: ScopeSnapshot | undefined;
  /** Whether the function assigns to it. */
  written: boolean;
}

/** How a function travels. */
export type FunctionShape =
  | { kind: "code"; ref: CodeRef }
  | { kind: "bound"; target: unknown; boundThis: unknown; boundArgs: unknown[] }
  | ({ kind: "made" } & MadeFunction)
  | { kind: "closure"; template: Template; variables: ClosedOver[]; usesOuterThis: boolean };

/** Decides for each function how it travels, and keeps the texts that do. One per capture. */
export class FunctionReader {
  readonly templates: Template[] = [];
  readonly #inspector: Inspector;
  readonly #contexts: HeapContexts;
  readonly #natives: Natives;
  readonly #world: World;
  #commonJs: Map<unknown, string> | undefined;
  readonly #modules = new Map<object, object>();
  readonly #byPlace = new Map<string, Template>();
  /** Each instance asks for its class. */
  readonly #classes = new Map<object, ESTree.Class | undefined>();

  constructor(inspector: Inspector, natives: Natives, world: World, contexts: HeapContexts) {
    this.#inspector = inspector;
    this.#contexts = contexts;
    this.#natives = natives;
    this.#world = world;
  }

  /** The CommonJS module whose exports the object is, unless it is the program itself. */
  moduleOf(value: object): CodeRef | undefined {
    this.#commonJs ??= commonJsModules();
    const file = this.#commonJs.get(value);
    if (file === undefined || this.#world.isRunning(file)) return undefined;
    return { kind: "module", source: { specifier: file, from: file, how: "require" }, name: "*", path: [] };
  }

  /** The code that gives this very object: a native one, a module's namespace or exports. */
  codeOf(value: object): CodeRef | undefined {
    const native = this.#natives.find(value) ?? this.#natives.findInModules(value);
    if (native !== undefined) return native;
    if (types.isModuleNamespaceObject(value)) return this.namespaceOf(value as Record<string, unknown>);
    return this.moduleOf(value);
  }

  /** The import that a module namespace object stands for, if it can be told from what it exports. */
  namespaceOf(namespace: Record<string, unknown>): CodeRef | undefined {
    const { default: main } = namespace as { default?: object };
    const whole = main === undefined ? undefined : (this.#natives.findInModules(main) ?? this.moduleOf(main));
    if (whole?.kind === "module" && whole.path.length === 0) return { ...whole, source: { ...whole.source, how: "import" }, name: "*" };
    for (const [name, value] of Object.entries(namespace)) {
      const script = typeof value === "function" ? this.#inspector.describe(value).location?.script : undefined;
      if (script?.file === undefined || !script.isModule || this.#world.isRunning(script.file)) continue;
      const names = exportedNames(script.analysis);
      // A module may also pass on what another exports: it is the right one only if it exports all the names.
      if (!names?.has(name) || names.size !== Object.keys(namespace).length || !Object.keys(namespace).every((key) => names.has(key))) continue;
      return { kind: "module", source: { specifier: script.specifier ?? script.file, from: script.file, how: "import" }, name: "*", path: [] };
    }
    return undefined;
  }

  /** The class declaration that the function was made from, in the user's code or in a package's. */
  classOf(fn: object): ESTree.Class | undefined {
    if (!this.#classes.has(fn)) this.#classes.set(fn, this.#readClass(fn));
    return this.#classes.get(fn);
  }

  #readClass(fn: object): ESTree.Class | undefined {
    const { location } = this.#inspector.describe(fn);
    if (location === undefined || location.script.url.startsWith("node:")) return undefined;
    const { script, offset } = location;
    const site = locate(script.analysis, offset, Function.prototype.toString.call(fn), script.source);
    return site !== undefined && isClassNode(site.node) ? site.node : undefined;
  }

  /** The name of the installed package that the function is written in. */
  packageOf(fn: object): string | undefined {
    const file = this.#inspector.describe(fn).location?.script.file;
    const directory = file === undefined ? undefined : packageDirectory(file);
    return directory?.slice(directory.lastIndexOf("node_modules") + "node_modules".length + 1).replaceAll("\\", "/");
  }

  /** The function of the script that `fn` was made from. */
  nodeOf(fn: object, script: Script): FunctionNode | undefined {
    const { location } = this.#inspector.describe(fn);
    if (location?.script !== script) return undefined;
    return locate(script.analysis, location.offset, Function.prototype.toString.call(fn), script.source)?.node;
  }

  /** Whether the function wants to be told of its call: see `takesContext`. */
  takesContext(fn: object): boolean {
    const { bound, location } = this.#inspector.describe(fn);
    if (typeof bound?.target === "function") return takesContext(this.#nodeAt(bound.target), bound.boundArgs.length);
    return location === undefined || takesContext(this.#nodeAt(fn));
  }

  #nodeAt(fn: object): FunctionNode | undefined {
    const { location } = this.#inspector.describe(fn);
    if (location === undefined || location.script.url.startsWith("node:")) return undefined;
    return this.nodeOf(fn, location.script);
  }

  /** The private members of an object, in the order in which its classes added them. */
  privateMembers(object: object): { name: string; value: unknown }[] {
    return this.#inspector.privateMembers(object);
  }

  /** The own properties of an array that are no elements. */
  namedProperties(array: object): string[] {
    return this.#inspector.namedProperties(array);
  }

  /** What a WeakMap or WeakSet holds just now. */
  weakEntries(collection: object): { key: object; value: unknown }[] {
    return this.#inspector.weakEntries(collection);
  }

  /** Whether the function is Node's own. */
  isInternal(fn: object): boolean {
    return this.#inspector.describe(fn).location?.script.url.startsWith("node:") ?? true;
  }

  /** Folder of the first function that was read. */
  get origin(): string | undefined {
    const file = this.templates[0]?.script.file;
    return file === undefined ? undefined : dirname(file);
  }

  /** `file:line` of the first function that was read. */
  get rootLocation(): string | undefined {
    const first = this.templates[0];
    return first === undefined ? undefined : this.#world.location(first.script, first.site.textStart);
  }

  /** The refusal of what lies at the end of the path. */
  refuse({ what, cure }: Refusal, path: Path): CaptureError {
    return new CaptureError({ path: pathNames(path), what, cure, location: this.rootLocation });
  }

  /** Throws CaptureError. */
  read(fn: object, path: Path): FunctionShape {
    const known = this.#world.ownExport(fn) ?? this.#natives.find(fn);
    if (known !== undefined) return { kind: "code", ref: known };
    const facts = this.#inspector.describe(fn);
    if (facts.bound !== undefined) {
      const ref = this.#natives.findInModules(fn);
      return ref === undefined ? { kind: "bound", ...facts.bound } : { kind: "code", ref };
    }
    if (facts.location === undefined || facts.location.script.url.startsWith("node:")) return this.#native(fn, facts, path);
    const { script, offset } = facts.location;
    const site = this.#locate(script, offset, fn, path);
    const exported = this.#exported(script, site, fn);
    return exported === undefined ? this.#closure(fn, script, site, facts, path) : { kind: "code", ref: exported };
  }

  #native(fn: object, { scopes }: FunctionFacts, path: Path): FunctionShape {
    const ref = this.#natives.findInModules(fn);
    if (ref !== undefined) return { kind: "code", ref };
    const made = madeFunction(fn, scopes);
    if (made !== undefined) return { kind: "made", ...made };
    throw new CaptureError({ path: pathNames(path), ...(settlesPromise(fn) ? settlingRefusal(pathNames(path)) : UNNAMED) });
  }

  #locate(script: Script, offset: number, fn: object, path: Path): FunctionSite {
    const text = Function.prototype.toString.call(fn);
    let cause: unknown;
    try {
      const site = locate(script.analysis, offset, text, script.source);
      if (site !== undefined) return site;
    } catch (error) {
      cause = error;
    }
    throw new CaptureError({
      path: pathNames(path),
      location: this.#world.location(script, offset),
      what: "its source text cannot be read",
      cure: "Move the function into a file of its own and export it.",
      cause,
    });
  }

  /** A function that a module on disk exports is imported from there, unless that module is the program itself. */
  #exported(script: Script, site: FunctionSite, fn: object): CodeRef | undefined {
    const { file } = script;
    if (file === undefined || this.#world.isRunning(file)) return undefined;
    if (script.isModule) {
      const name = exportedName(script.analysis, site);
      if (name === undefined) return undefined;
      if (this.#world.isOwn(file)) return { kind: "module", source: { specifier: "burla", from: file, how: "import" }, name, path: [] };
      return { kind: "module", source: { specifier: script.specifier ?? file, from: file, how: "import" }, name, path: [] };
    }
    const path = commonJsPath(file, fn);
    if (path === undefined) return undefined;
    if (this.#world.isOwn(file)) return { kind: "module", source: { specifier: "burla", from: file, how: "require" }, name: "*", path };
    return { kind: "module", source: { specifier: file, from: file, how: "require" }, name: "*", path };
  }

  #closure(fn: object, script: Script, site: FunctionSite, facts: FunctionFacts, path: Path): FunctionShape {
    const known = this.#byPlace.get(`${script.id}:${site.textStart}`);
    const template = known ?? this.#template(fn, script, site, path);
    const variables: ClosedOver[] = [];
    for (const free of template.syntax.freeNames) {
      const supply = template.supplies.get(free.name);
      if (supply !== undefined && supply.kind !== "value") continue;
      const variable = this.#ownName(fn, free) ?? closedOver(free, facts.scopes);
      if (variable === undefined && free.variable !== null && !isTopLevel(free.variable)) throw this.#unreadable(free.name, script, site, path);
      template.supplies.set(free.name, { kind: variable === undefined ? "global" : "value" });
      if (variable === undefined) continue;
      if (free.name === "module" && !script.isModule) variable.value = this.#ownModule(variable.value);
      this.#refuseUninitialised(variable, script, site, path);
      variables.push(variable);
    }
    template.slots = variables.map(({ name }) => name);
    return { kind: "closure", template, variables, usesOuterThis: template.syntax.usesOuterThis };
  }

  /** The `module` of a CommonJS file is Node's own object: what travels is an object with the same exports. */
  #ownModule(value: unknown): unknown {
    if (typeof value !== "object" || value === null || classNameOf(value) !== "Module") return value;
    const { id, filename, path, exports } = value as NodeJS.Module;
    const known = this.#modules.get(value) ?? { id, filename, path, exports, loaded: true, children: [], paths: [] };
    this.#modules.set(value, known);
    return known;
  }

  /** The name that a function expression around `fn` has inside itself: V8 shows it in none of the scopes. */
  #ownName(fn: object, { name, variable, written }: FreeName): ClosedOver | undefined {
    if (variable?.scope.type !== "function-expression-name") return undefined;
    return { name, value: this.#contexts.variableOf(fn, name), variable, scope: undefined, written };
  }

  #unreadable(name: string, script: Script, site: FunctionSite, path: Path): CaptureError {
    return new CaptureError({
      path: [...pathNames(path), name],
      location: this.#world.location(script, site.textStart),
      what: "the value of the variable cannot be read",
      cure: `Copy it into a variable of another name and use that: const copy = ${name}.`,
    });
  }

  #template(fn: object, script: Script, site: FunctionSite, path: Path): Template {
    const syntax = readSyntax(script.analysis, site);
    const location = this.#world.location(script, site.textStart);
    if (syntax.unmovable !== undefined) {
      throw new CaptureError({
        path: pathNames(path),
        location,
        what: syntax.unmovable === "eval" ? "it calls eval(), which may use any variable around it" : "it uses the with statement",
        cure: "Name what the function needs instead: pass it as a variable or an argument.",
      });
    }
    if (syntax.outerPrivateNames.length > 0) {
      throw new CaptureError({
        path: pathNames(path),
        location,
        what: `it uses the private name ${syntax.outerPrivateNames.join(", ")} of the class around it`,
        cure: "Call it through an instance instead: (input) => instance.method(input).",
      });
    }
    const supplies = new Map<string, Supply>();
    for (const free of syntax.freeNames) {
      const supply = this.#codeSupply(free, script);
      if (supply !== undefined) supplies.set(free.name, supply);
    }
    const template = { index: this.templates.length, script, site, syntax, name: nameOf(fn), supplies, slots: [] };
    this.templates.push(template);
    this.#byPlace.set(`${script.id}:${site.textStart}`, template);
    return template;
  }

  #codeSupply({ name, variable }: FreeName, script: Script): Supply | undefined {
    const from = script.file ?? this.#world.directory;
    if (name === VITE_IMPORT_META) return { kind: "meta" };
    if (name === VITE_DYNAMIC_IMPORT) return { kind: "import" };
    if (variable !== null) {
      if (isOwnRequire(variable, from)) return { kind: "require" };
      const ref = importOf(variable, from);
      return ref === undefined ? undefined : { kind: "code", ref };
    }
    if (name === "require" && !script.isModule) return { kind: "require" };
    const ref = script.file === undefined ? sessionImport(name, from) : undefined;
    return ref === undefined ? undefined : { kind: "code", ref };
  }

  #refuseUninitialised({ name, value, variable }: ClosedOver, script: Script, site: FunctionSite, path: Path): void {
    if (value !== UNINITIALISED && (value !== undefined || variable === null || !mustHaveValue(variable))) return;
    throw new CaptureError({
      path: [...pathNames(path), name],
      location: this.#world.location(script, site.textStart),
      what: "the variable has no value yet: the program has not reached its declaration",
      cure: `Move the declaration of ${name} above the call.`,
    });
  }
}

function closedOver({ name, variable, written }: FreeName, scopes: readonly ScopeSnapshot[]): ClosedOver | undefined {
  const scope = scopes.find(({ variables }) => Object.hasOwn(variables, name));
  if (scope !== undefined) return { name, value: readVariable(scope, name), variable, scope, written };
  // A variable of the user's own on the global object, such as one that a REPL made.
  if (!Object.hasOwn(globalThis, name) || isStandardGlobal(name)) return undefined;
  return { name, value: (globalThis as unknown as Record<string, unknown>)[name], variable, scope: undefined, written };
}

const UNNAMED: Refusal = {
  what: "it is a native function that no global and no module of Node names",
  cure: "Wrap it in a function of your own that gets hold of it where it runs.",
};

/** The functions that `new Promise` hands out are the only ones of V8 without a name and with one parameter. */
function settlesPromise(fn: object): boolean {
  return nameOf(fn) === "" && Object.getOwnPropertyDescriptor(fn, "length")?.value === 1;
}

/** Of something that waits, such as a queue with work in it. */
function settlingRefusal([, variable]: readonly string[]): Refusal {
  return { what: "it settles a promise that only this program waits for", cure: `Create ${variable ?? "it"} inside the function, or in a module that the function imports.` };
}

/** Whether the variable can only be undefined because its declaration was not run yet. */
function mustHaveValue(variable: Variable): boolean {
  const definition = variable.defs[0];
  if (definition?.type === "ClassName") return true;
  if (definition?.type !== "Variable" || definition.parent?.kind === "var") return false;
  const { init } = definition.node as ESTree.VariableDeclarator;
  if (init == null || (definition.node as ESTree.VariableDeclarator).id.type !== "Identifier") return false;
  return [
    "ArrowFunctionExpression", "FunctionExpression", "ClassExpression", "ObjectExpression", "ArrayExpression", "NewExpression",
    "TemplateLiteral", "Literal", "BinaryExpression",
  ].includes(init.type);
}

function nameOf(fn: object): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, "name")?.value;
  return typeof name === "string" ? name : "";
}
