/**
 * Registers of classes that imported modules keep: decorators of class-transformer, class-validator or TypeORM write there
 * what they say of a class. On a worker such a module is fresh, and the decorators of a class that is captured by its text
 * do not run again: the module would know nothing of the class, without a word. So it is looked for, and refused.
 */
import { types } from "node:util";
import { CaptureError } from "./errors.ts";
import { readVariable, type Inspector } from "./inspect.ts";
import { isNativeCode } from "./kinds.ts";
import { isStandardGlobal } from "./natives.ts";
import { packageDirectory } from "./packages.ts";
import { pathNames } from "./path.ts";
import type { Script } from "./script.ts";
import { isClassNode } from "./syntax.ts";
import type { Vertex } from "./vertex.ts";
import type { World } from "./world.ts";

/** What compilers call decorators with: `__decorate`, `__decorateClass`, `_ts_decorate`, `__esDecorate`, `_applyDecoratedDescriptor`. */
const DECORATES = /\b_\w*decorat\w*\s*\(/i;
/** A register lies near the functions that use it. */
const MAX_LOOKED_AT = 3_000;

interface CapturedClass {
  readonly vertex: Vertex;
  readonly script: Script;
}

/** One per capture. */
export class ClassRegisters {
  readonly #inspector: Inspector;
  readonly #world: World;
  /** Scripts of which functions were captured by their texts: what those hold is the program's own. */
  readonly #own = new Set<Script>();

  constructor(inspector: Inspector, world: World) {
    this.#inspector = inspector;
    this.#world = world;
  }

  /** Throws CaptureError for a captured class with decorators that a module knows which the captured code imports. */
  refuse(vertices: readonly Vertex[]): void {
    const classes = this.#decorated(vertices);
    if (classes.size === 0) return;
    const found = this.#find(this.#imported(vertices), classes);
    if (found === undefined) return;
    const { captured, owner } = found;
    const { vertex, script } = captured;
    throw new CaptureError({
      path: pathNames(vertex.path),
      location: vertex.fn?.kind === "closure" ? this.#world.location(script, vertex.fn.template.site.textStart) : undefined,
      what: `its decorators have told ${owner} of it, which on a worker knows nothing of a class that is captured by its text`,
      cure: "Move the class into a module of its own and import it from there: its decorators then run on each worker.",
    });
  }

  /** By the class itself and by its prototype. */
  #decorated(vertices: readonly Vertex[]): Map<unknown, CapturedClass> {
    const classes = new Map<unknown, CapturedClass>();
    for (const vertex of vertices) {
      if (vertex.fn?.kind !== "closure") continue;
      const { script, site } = vertex.fn.template;
      this.#own.add(script);
      if (!isClassNode(site.node) || !DECORATES.test(script.source)) continue;
      for (const key of [vertex.value, (vertex.value as { prototype?: unknown }).prototype]) classes.set(key, { vertex, script });
    }
    return classes;
  }

  /** What the captured functions name by imports, and the globals of packages. */
  #imported(vertices: readonly Vertex[]): unknown[] {
    const imported = new Set<unknown>();
    for (const { fn, value } of vertices) {
      if (fn?.kind !== "closure" || typeof value !== "function") continue;
      const names = [...fn.template.supplies].flatMap(([name, supply]) => (supply.kind === "code" ? [name] : []));
      if (names.length === 0) continue;
      const { scopes } = this.#inspector.describe(value);
      for (const name of names) {
        const scope = scopes.find(({ variables }) => Object.hasOwn(variables, name));
        if (scope !== undefined) imported.add(readVariable(scope, name));
      }
    }
    const packages = new Set([...imported].flatMap((value) => this.#packageOf(value) ?? []));
    return [...imported, ...globalValues().filter((value) => packages.has(this.#packageOf((value as object).constructor) ?? ""))];
  }

  #packageOf(value: unknown): string | undefined {
    const file = typeof value === "function" && !types.isProxy(value) ? this.#scriptOf(value)?.file : undefined;
    return file === undefined ? undefined : packageDirectory(file);
  }

  #scriptOf(fn: object): Script | undefined {
    return isNativeCode(fn) ? undefined : this.#inspector.describe(fn).location?.script;
  }

  /** Breadth first, from what is imported through closures, properties and collections of imported code. */
  #find(roots: readonly unknown[], classes: ReadonlyMap<unknown, CapturedClass>): { captured: CapturedClass; owner: string } | undefined {
    const owners = new Map<object, string>();
    const meet = (part: unknown, owner: string) => {
      if (isHolder(part) && !owners.has(part)) owners.set(part, owner);
    };
    for (const root of roots) meet(root, "a module");
    for (const [holder, owner] of owners) {
      if (owners.size > MAX_LOOKED_AT) return undefined;
      const maker = typeof holder === "function" ? holder : classOf(holder);
      const script = typeof maker === "function" ? this.#scriptOf(maker) : undefined;
      const isImported = this.#isImported(script);
      if (maker === holder && !isImported) continue;
      const name = script !== undefined && isImported ? nameOf(script) : owner;
      for (const part of this.#partsOf(holder)) {
        const captured = classes.get(part);
        if (captured !== undefined) return { captured, owner: name };
        meet(part, name);
      }
    }
    return undefined;
  }

  #isImported(script: Script | undefined): boolean {
    return script?.file !== undefined && !this.#own.has(script) && !this.#world.isRunning(script.file);
  }

  #partsOf(holder: object): unknown[] {
    if (types.isMap(holder)) return [...holder].flat();
    if (types.isSet(holder)) return [...holder];
    if (types.isWeakMap(holder)) return this.#inspector.weakEntries(holder).flatMap(({ key, value }) => [key, value]);
    const parts = types.isModuleNamespaceObject(holder) ? Object.values(holder) : Object.values(Object.getOwnPropertyDescriptors(holder)).map(({ value }) => value as unknown);
    if (typeof holder !== "function") return [...parts, classOf(holder)];
    const { scopes } = this.#inspector.describe(holder);
    return [...parts, ...scopes.flatMap((scope) => Object.keys(scope.variables).map((name) => readVariable(scope, name)))];
  }
}

function isHolder(value: unknown): value is object {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return value !== globalThis && value !== process && !types.isProxy(value) && !ArrayBuffer.isView(value);
}

/** Methods of an instance reach what its class closes over. */
function classOf(value: object): unknown {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null ? undefined : Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
}

/** Registers that are shared by all copies of a package. */
function globalValues(): unknown[] {
  return Object.getOwnPropertyNames(globalThis).flatMap((name) => {
    if (isStandardGlobal(name)) return [];
    const value: unknown = Object.getOwnPropertyDescriptor(globalThis, name)?.value;
    return typeof value === "object" && value !== null && !types.isProxy(value) ? [value] : [];
  });
}

/** As people know it: the package, or the file. */
function nameOf(script: Script): string {
  const directory = script.file === undefined ? undefined : packageDirectory(script.file);
  if (directory !== undefined) return `the package ${directory.slice(directory.lastIndexOf("node_modules") + "node_modules".length + 1).replaceAll("\\", "/")}`;
  return script.file === undefined ? "a module" : `the module ${script.file}`;
}
