import { hasLongChain, isBoundTooOften, MAX_DEPTH, MAX_FUNCTIONS, MAX_PROTOTYPES, tooDeep } from "./depth.ts";
import type { DecoratorNote, DecoratorNotes } from "./decorator-notes.ts";
import { FunctionDrafts } from "./function-drafts.ts";
import type { FunctionReader } from "./functions.ts";
import type { HeapContexts } from "./heap-contexts.ts";
import type { NodeKind } from "./heap-format.ts";
import { isReference, prototypeOwner } from "./kinds.ts";
import { wellKnownSymbol, type Natives } from "./natives.ts";
import { ObjectDrafts } from "./object-drafts.ts";
import { propsOf, slotCount, type Skip } from "./own-properties.ts";
import { stepTo, type Path } from "./path.ts";
import { PlainData } from "./plain-data.ts";
import { rebuilt, refusal } from "./refusals.ts";
import type { SharedVariables } from "./shared-variables.ts";
import { isWeakCollection } from "./weak-collections.ts";
import type { Draft, Hold, ShapeOf, Vertex } from "./vertex.ts";

export interface ValueGraphOptions {
  functions: FunctionReader;
  natives: Natives;
  contexts: HeapContexts;
  shared: SharedVariables;
  notes: DecoratorNotes;
}

const FLATTEN = "Keep what they hold in a flat form, such as an array that one function goes through.";

/**
 * Everything that a value reaches, walked without recursion, so that a long list does not exhaust the stack. Whatever
 * is plain data all the way down is only noted, and left to V8's structured clone.
 */
export class ValueGraph {
  readonly vertices = new Map<object | symbol, Vertex>();
  readonly #pending: Vertex[] = [];
  readonly #functions: FunctionReader;
  readonly #shared: SharedVariables;
  readonly #homes = new Map<object, object>();
  /** Weak collections that may be captured, and those that were: each object takes its entry along. */
  readonly #notebooks = new Set<object>();
  readonly #openNotebooks: { vertex: Vertex; draft: Draft; left: { key: object; value: unknown }[] }[] = [];
  readonly #notes: DecoratorNotes;
  /** Whose notes of decorators go along already. */
  readonly #noted = new Set<unknown>();
  readonly #plain: PlainData;
  readonly #functionDrafts: FunctionDrafts;
  readonly #objectDrafts: ObjectDrafts;

  constructor({ functions, natives, contexts, shared, notes }: ValueGraphOptions) {
    this.#functions = functions;
    this.#shared = shared;
    this.#notes = notes;
    const hold: Hold = (value, holder, path) => {
      this.#hold(value, holder, path);
    };
    const shapeOf: ShapeOf = (fn, path) => this.vertices.get(fn)?.fn ?? functions.read(fn, path);
    this.#plain = new PlainData(hold, functions);
    this.#functionDrafts = new FunctionDrafts({ functions, shared, contexts, hold, shapeOf, notebooks: this.#notebooks, homeOf: (method) => this.#homes.get(method) });
    this.#objectDrafts = new ObjectDrafts(functions, natives, shapeOf);
  }

  /**
   * Walks everything that `root` reaches. Throws CaptureError.
   * @param members what it holds that has a path of its own, and is walked in this order.
   */
  addRoot(root: object, path: Path, members: readonly { value: object; path: Path }[] = []): Vertex {
    for (const member of [...members].reverse()) this.#vertex(member.value, member.path);
    const vertex = this.#vertex(root, path);
    do this.#expandPending();
    while (this.#takeNotes() || this.#takeDecoratorNotes());
    for (const { fn, cell, slot } of this.#shared.cells()) {
      (this.vertices.get(fn)?.draft as Draft).slots[slot] = cell;
      const holder = this.#vertex(cell, path);
      holder.special = true;
      holder.draft = { kind: "cell", slots: [cell.v] };
      this.#hold(cell.v, holder, path);
    }
    this.#pending.length = 0;
    this.#plain.keepSharedBuffers();
    this.#spread();
    const deep = tooDeep(this.vertices);
    if (deep !== undefined) {
      throw this.#functions.refuse({ what: `it is nested more than ${MAX_DEPTH} levels deep`, cure: "Keep it in a flat form, such as an array of items that name each other by index." }, deep);
    }
    return vertex;
  }

  #expandPending(): void {
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) this.#expand(next);
  }

  /** Adds the entries whose keys have been captured meanwhile. False when there are none. */
  #takeNotes(): boolean {
    let taken = false;
    for (const notebook of this.#openNotebooks) {
      const { vertex, draft } = notebook;
      const found = notebook.left.filter(({ key }) => this.vertices.has(key));
      notebook.left = notebook.left.filter(({ key }) => !this.vertices.has(key));
      for (const { key, value } of found) {
        draft.slots.push(key, ...(draft.kind === "weakmap" ? [value] : []));
        this.#hold(key, vertex, vertex.path);
        this.#hold(value, vertex, stepTo(vertex.path, "what it notes"));
        taken = true;
      }
    }
    return taken;
  }

  /** Adds what decorators have noted of what is captured, as calls that note it again. False when there is nothing new. */
  #takeDecoratorNotes(): boolean {
    const { define } = this.#notes;
    if (define === undefined) return false;
    const found = [...this.vertices.values()].flatMap((vertex) => this.#targetsOf(vertex).map((note) => ({ note, path: vertex.path })));
    for (const { note, path } of found) this.#addNote(define, note, path);
    return found.length > 0;
  }

  /** The notes of a value and of its prototype. Those of what is imported are made by the module that is imported. */
  #targetsOf({ value, path, fn, draft }: Vertex): DecoratorNote[] {
    if (this.#noted.has(value) || typeof value === "symbol" || draft?.ref !== undefined) return [];
    this.#noted.add(value);
    const owner = typeof value === "function" ? undefined : this.#functionDrafts.ownerOf(value);
    if (owner !== undefined && this.vertices.get(owner)?.draft?.ref !== undefined) return [];
    const prototype: unknown = fn?.kind === "closure" ? Object.getOwnPropertyDescriptor(value, "prototype")?.value : undefined;
    const targets = typeof prototype === "object" && prototype !== null && !this.#noted.has(prototype) ? [value, prototype] : [value];
    if (targets.length === 2) this.#noted.add(prototype);
    return targets.flatMap((target) => this.#readNotes(target, path));
  }

  #readNotes(target: object, path: Path): DecoratorNote[] {
    const notes = this.#notes.of(target);
    const cannot = notes.length > 0 ? this.#notes.library === undefined : this.#notes.isUnreadable(target);
    if (!cannot) return notes;
    throw this.#functions.refuse({
      what: "what decorators have noted of it (Reflect.defineMetadata) cannot be taken along: the library that keeps it is in no module that can be imported",
      cure: "Import reflect-metadata from its package, not out of a bundle, or move the class into a module of its own that imports it, and export it there.",
    }, path);
  }

  #addNote(define: object, { key, value, target, member }: DecoratorNote, path: Path): void {
    if (!this.vertices.has(define)) {
      const draft: Draft = { kind: "code", ref: { kind: "global", expression: "Reflect.defineMetadata" }, slots: [] };
      this.vertices.set(define, { value: define, path, special: true, holders: [], functionsAbove: 0, draft, fn: undefined });
    }
    const slots = [define, key, value, target, ...(member === undefined ? [] : [member])];
    const call: Vertex = { value: {}, path, special: true, holders: [], functionsAbove: 0, draft: { kind: "call", slots }, fn: undefined };
    this.vertices.set(call.value, call);
    this.#noted.add(call.value);
    const from = member === undefined ? path : stepTo(path, member);
    for (const slot of slots) this.#hold(slot, call, slot === value ? stepTo(from, `what is noted as ${String(key)}`) : path);
  }

  #notebookDraft(collection: WeakMap<object, unknown> | WeakSet<object>, vertex: Vertex): Draft {
    const draft = this.#objectDrafts.draft(collection, vertex.path);
    this.#openNotebooks.push({ vertex, draft, left: this.#functions.weakEntries(collection) });
    return draft;
  }

  /** The draft of a vertex that is special. */
  draftOf(vertex: Vertex): Draft {
    vertex.draft ??= this.#objectDrafts.draft(vertex.value as object, vertex.path);
    return vertex.draft;
  }

  #vertex(value: object | symbol, path: Path, functionsAbove = 0): Vertex {
    let vertex = this.vertices.get(value);
    if (vertex === undefined) {
      vertex = { value, path, special: false, holders: [], functionsAbove, draft: undefined, fn: undefined };
      this.vertices.set(value, vertex);
      this.#pending.push(vertex);
    }
    return vertex;
  }

  #hold(value: unknown, holder: Vertex, path: Path): void {
    if (isReference(value)) this.#vertex(value, path, holder.functionsAbove + (typeof value === "function" ? 1 : 0)).holders.push(holder);
  }

  #expand(vertex: Vertex): void {
    const { value, path } = vertex;
    if (typeof value === "object" && this.#functionDrafts.ownerOf(value) === undefined && this.#plain.expand(value, vertex)) return;
    vertex.special = true;
    const draft = this.#draft(vertex);
    vertex.draft = draft;
    const names = vertex.fn?.kind === "closure" ? vertex.fn.variables.map(({ name }) => name) : [];
    draft.slots.forEach((slot, index) => {
      const name = draft.kind === "function" ? names[index - 2] : slotName(draft.kind, index);
      this.#hold(slot, vertex, name === undefined ? path : stepTo(path, name));
    });
    this.#hold(draft.proto, vertex, path);
    for (const { owner, names: fields, values } of draft.privates ?? []) {
      this.#hold(owner, vertex, path);
      values.forEach((field, index) => {
        this.#hold(field, vertex, stepTo(path, fields[index] as string));
      });
    }
    this.#holdProps(draft, value, vertex);
  }

  #holdProps({ props }: Draft, owner: object | symbol, vertex: Vertex): void {
    if (props === undefined) return;
    let at = 0;
    for (const flag of props.flags) {
      const key = props.slots[at++] as PropertyKey;
      const count = slotCount(flag);
      this.#hold(key, vertex, vertex.path);
      const step = stepTo(vertex.path, Array.isArray(owner) && typeof key === "string" && /^\d+$/.test(key) ? Number(key) : key);
      for (const end = at + count; at < end; at++) {
        const member = props.slots[at];
        if (typeof member === "function" && typeof owner !== "symbol" && !this.#homes.has(member)) this.#homes.set(member, owner);
        this.#hold(member, vertex, step);
      }
    }
  }

  #draft(vertex: Vertex): Draft {
    const { value, path } = vertex;
    if (typeof value === "symbol") return symbolDraft(value);
    if (vertex.functionsAbove > MAX_FUNCTIONS) throw this.#functions.refuse({ what: `more than ${MAX_FUNCTIONS} functions hold each other there, one behind the other`, cure: FLATTEN }, path);
    if (typeof value === "function" && isBoundTooOften(value)) throw this.#functions.refuse({ what: "it was bound thousands of times, each time from the one before", cure: FLATTEN }, path);
    if (hasLongChain(value)) throw this.#functions.refuse({ what: `more than ${MAX_PROTOTYPES} objects inherit from each other there`, cure: "Keep what they hold in a flat form, such as an array." }, path);
    if (typeof value === "function") return this.#functionDrafts.draft(value, vertex);
    const ref = this.#functions.codeOf(value);
    if (ref !== undefined) return { kind: "code", ref, slots: [] };
    if (isWeakCollection(value) && this.#notebooks.has(value)) return this.#notebookDraft(value, vertex);
    const refused = refusal(value);
    if (refused !== undefined) throw this.#functions.refuse(refused, path);
    const owner = this.#functionDrafts.ownerOf(value);
    if (owner !== undefined) return this.#functionDrafts.prototypeDraft(value, owner);
    return rebuiltDraft(value) ?? this.#objectDrafts.draft(value, path);
  }

  /** What holds something special is special itself. */
  #spread(): void {
    const pending = [...this.vertices.values()].filter(({ special }) => special);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const holder of next.holders) {
        if (holder.special) continue;
        holder.special = true;
        pending.push(holder);
      }
    }
  }
}

/** An object that is made again by its class, with the prototype and the properties that programs gave it since. */
function rebuiltDraft(value: object): Draft | undefined {
  const made = rebuilt(value);
  if (made === undefined) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isUsual = typeof prototype === "object" && prototype !== null && prototypeOwner(prototype) === made.constructor;
  const skip: Skip = (key, descriptor) => typeof key === "symbol" || descriptor.enumerable !== true;
  return { kind: "construct", data: made.className, slots: [isUsual ? undefined : prototype, ...made.args], ...propsOf(value, skip) };
}

function slotName(kind: NodeKind, index: number): string | undefined {
  if (kind === "bound") return ["the bound function", "its this"][index] ?? `argument ${index - 2}`;
  if (kind === "map" || kind === "set") return index === 0 ? undefined : "a member";
  return undefined;
}

function symbolDraft(symbol: symbol): Draft {
  const key = Symbol.keyFor(symbol);
  const wellKnown = wellKnownSymbol(symbol);
  const data = key !== undefined ? { key } : wellKnown !== undefined ? { wellKnown } : { description: symbol.description };
  return { kind: "symbol", data, slots: [] };
}
