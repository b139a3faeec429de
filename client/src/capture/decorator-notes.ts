/**
 * What decorators note of classes and their members, by `Reflect.defineMetadata`, which a library adds to the language:
 * `design:type` of a compiler, and what TypeORM, Nest and such keep. The library holds it in WeakMaps that only its own
 * functions close over, in the one form that the draft of the standard describes: object, member, key, value.
 */
import { types } from "node:util";
import type { ModuleSource } from "./code-refs.ts";
import type { Inspector } from "./inspect.ts";
import { isNativeCode } from "./kinds.ts";
import type { World } from "./world.ts";

/** One note: that `Reflect.defineMetadata(key, value, target, member)` was called. */
export interface DecoratorNote {
  key: unknown;
  value: unknown;
  target: object;
  /** Undefined for a note of the class itself. */
  member: PropertyKey | undefined;
}

type Storage = WeakMap<object, unknown>;

/** More functions than any such library has. */
const MAX_LOOKED_AT = 500;

/** Where `Reflect.defineMetadata` keeps its notes; found once for each that a program has. */
const storagesOf = new WeakMap<object, Storage[]>();

/** `Reflect.defineMetadata`, if a library has added it. */
export function metadataFunction(): object | undefined {
  const found: unknown = Object.getOwnPropertyDescriptor(Reflect, "defineMetadata")?.value;
  return typeof found === "function" && !types.isProxy(found) ? found : undefined;
}

/** Reads the notes of captured objects. One per capture. */
export class DecoratorNotes {
  /** Notes an object in the library; undefined if this program has none. */
  readonly define = metadataFunction();
  readonly #inspector: Inspector;
  readonly #world: World;

  constructor(inspector: Inspector, world: World) {
    this.#inspector = inspector;
    this.#world = world;
  }

  /** The module that adds the library to the language; undefined if it is none that can be imported, or there is no library. */
  get library(): ModuleSource | undefined {
    const script = this.define === undefined ? undefined : this.#inspector.describe(this.define).location?.script;
    if (script?.file === undefined || this.#world.isRunning(script.file)) return undefined;
    return { specifier: script.file, from: script.file, how: "import" };
  }

  /** The object's own notes, in the order in which they were made. */
  of(target: object): DecoratorNote[] {
    if (this.define === undefined) return [];
    const found = this.#read(target, this.#storages(this.define));
    // A second copy of the library may have been loaded since.
    return found.length > 0 || !hasNotes(target) ? found : this.#read(target, this.#search(this.define));
  }

  /** Whether the library knows notes of the object that cannot be read. */
  isUnreadable(target: object): boolean {
    return this.define !== undefined && hasNotes(target) && this.of(target).length === 0;
  }

  #read(target: object, storages: readonly Storage[]): DecoratorNote[] {
    return storages.flatMap((storage) => {
      const members = storage.get(target);
      if (!isMapOfMaps(members)) return [];
      return [...members].flatMap(([member, notes]) => [...notes].map(([key, value]) => ({ key, value, target, member: member as PropertyKey | undefined })));
    });
  }

  #storages(define: object): Storage[] {
    return storagesOf.get(define) ?? this.#search(define);
  }

  /** Every WeakMap that the library's functions close over, and the functions of the objects that they close over. */
  #search(define: object): Storage[] {
    const seen = new Set<object>([define]);
    for (const value of seen) {
      if (seen.size > MAX_LOOKED_AT) break;
      for (const part of typeof value === "function" ? this.#closedOver(value) : membersOf(value)) {
        if (((typeof part === "object" && part !== null) || typeof part === "function") && !types.isProxy(part)) seen.add(part);
      }
    }
    const storages = [...seen].filter((value): value is Storage => types.isWeakMap(value));
    storagesOf.set(define, storages);
    return storages;
  }

  #closedOver(fn: object): unknown[] {
    if (isNativeCode(fn)) return [];
    const { location, scopes } = this.#inspector.describe(fn);
    if (location === undefined || location.script.url.startsWith("node:")) return [];
    return scopes.flatMap(({ variables }) => Object.values(Object.getOwnPropertyDescriptors(variables)).map(({ value }) => value as unknown));
  }
}

/** Objects that are more than a few functions are none of such a library's registers. */
function membersOf(value: object): unknown[] {
  if (types.isMap(value) || types.isSet(value) || types.isWeakMap(value) || Array.isArray(value)) return types.isSet(value) ? [...value] : [];
  const descriptors = Object.values(Object.getOwnPropertyDescriptors(value));
  return descriptors.length > 30 ? [] : descriptors.map((descriptor) => descriptor.value as unknown);
}

function isMapOfMaps(value: unknown): value is Map<unknown, Map<unknown, unknown>> {
  return types.isMap(value) && value.size > 0 && [...value.values()].every((notes) => types.isMap(notes));
}

/** What the library itself says of the object as a whole: it tells of no members that it is not asked for. */
function hasNotes(target: object): boolean {
  const { getOwnMetadataKeys } = Reflect as unknown as { getOwnMetadataKeys?: (target: object) => unknown };
  const keys = typeof getOwnMetadataKeys === "function" ? getOwnMetadataKeys(target) : [];
  return Array.isArray(keys) && keys.length > 0;
}
