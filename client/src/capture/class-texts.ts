import type * as ESTree from "estree";
import { computedFieldsOf, methodsOf, namedByCode, writtenName, type Method, type NamedByCode } from "./class-members.ts";
import type { FunctionReader } from "./functions.ts";
import type { HeapContexts } from "./heap-contexts.ts";
import type { Skip } from "./own-properties.ts";
import type { Path } from "./path.ts";
import type { Template } from "./template.ts";

/** What the text of one class makes by itself. */
export interface ClassText {
  /** The names of the members that `namedByCode` lists, as they were when the class was made. */
  names: PropertyKey[];
  /** Tells the methods of the class, and of its prototype, that the text makes. */
  isStaticMade: Skip;
  isMade: Skip;
  /** Methods that are there no longer. */
  goneStatic: PropertyKey[];
  gone: PropertyKey[];
}

/** The name of a method that the program has taken off: the text makes it, and it goes again. */
const GONE = "$burla_gone";

interface NamedMethod {
  member: Method;
  key: PropertyKey;
}

/** Reads what a class's text has made of it, once for each class. */
export class ClassTexts {
  readonly #functions: FunctionReader;
  readonly #contexts: HeapContexts;
  readonly #known = new Map<object, ClassText>();

  constructor(functions: FunctionReader, contexts: HeapContexts) {
    this.#functions = functions;
    this.#contexts = contexts;
  }

  /** Throws CaptureError where a name that code has given cannot be found out. */
  of(fn: object, template: Template, path: Path): ClassText {
    const known = this.#known.get(fn) ?? this.#read(fn, template, path);
    this.#known.set(fn, known);
    return known;
  }

  #read(fn: object, template: Template, path: Path): ClassText {
    const node = template.site.node as ESTree.Class;
    const text = template.script.source.slice(template.site.textStart, template.site.node.end);
    const { prototype } = fn as { prototype: object };
    const named = namedByCode(node);
    const names = this.#namesOf(fn, template, named, text, path);
    const methods = methodsOf(node).map((member): NamedMethod => ({ member, key: writtenName(member) ?? (names[named.indexOf(member)] as PropertyKey) }));
    const statics = methods.filter(({ member }) => member.static);
    const others = methods.filter(({ member }) => !member.static);
    return {
      names,
      isStaticMade: madeBy(statics, text),
      isMade: madeBy(others, text),
      goneStatic: goneOf(statics, fn),
      gone: [...goneOf(others, prototype), ...(Object.hasOwn(prototype, "constructor") ? [] : ["constructor"])],
    };
  }

  #namesOf(fn: object, template: Template, named: readonly NamedByCode[], text: string, path: Path): PropertyKey[] {
    if (named.length === 0) return [];
    const { prototype } = fn as { prototype: object };
    const found = new Map([...this.#methodNames(fn, template, text), ...this.#methodNames(prototype, template, text)]);
    return named.map((member) => {
      if (member.type === "MethodDefinition") return found.get(member.value) ?? GONE;
      const index = computedFieldsOf(template.site.node as ESTree.Class).findIndex((field) => field === member);
      const name = this.#contexts.computedNames(fn, template)[index];
      if (name !== undefined) return name;
      throw this.#functions.refuse(
        { what: "it has a field whose name is computed and cannot be read", cure: "Write the name out, or set the field in the constructor: this[KEY] = ..." },
        path,
      );
    });
  }

  /** By the function in the text that each method was made from, the name that it has. */
  #methodNames(owner: object, template: Template, text: string): Map<ESTree.Node, PropertyKey> {
    const names = new Map<ESTree.Node, PropertyKey>();
    for (const key of Reflect.ownKeys(owner)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(owner, key) as PropertyDescriptor;
      for (const method of [value, get, set] as unknown[]) {
        if (typeof method !== "function" || !text.includes(Function.prototype.toString.call(method))) continue;
        const node = this.#functions.nodeOf(method, template.script);
        if (node !== undefined) names.set(node, key);
      }
    }
    return names;
  }
}

function madeBy(methods: readonly NamedMethod[], text: string): Skip {
  return (key, { value, get, set, enumerable, configurable, writable }) => {
    const own = methods.filter((method) => method.key === key);
    const has = (kind: string): boolean => own.some(({ member }) => member.kind === kind);
    const isFrom = (fn: unknown, kind: string): boolean =>
      fn === undefined ? !has(kind) || has("method") : has(kind) && typeof fn === "function" && text.includes(Function.prototype.toString.call(fn));
    const isAccessor = get !== undefined || set !== undefined;
    if (own.length === 0 || !(isAccessor ? isFrom(get, "get") && isFrom(set, "set") : isFrom(value, "method"))) return false;
    return enumerable === false && configurable === true && writable !== false ? true : "flags";
  };
}

function goneOf(methods: readonly NamedMethod[], owner: object): PropertyKey[] {
  return [...new Set(methods.map(({ key }) => key))].filter((key) => !Object.hasOwn(owner, key));
}
