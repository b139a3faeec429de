import { MAX_DEPTH, tooDeep } from "./depth.ts";
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
  readonly #plain: PlainData;
  readonly #functionDrafts: FunctionDrafts;
  readonly #objectDrafts: ObjectDrafts;

  constructor(functions: FunctionReader, natives: Natives, contexts: HeapContexts, shared: SharedVariables) {
    this.#functions = functions;
    this.#shared = shared;
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
    while (this.#takeNotes());
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

  #vertex(value: object | symbol, path: Path): Vertex {
    let vertex = this.vertices.get(value);
    if (vertex === undefined) {
      vertex = { value, path, special: false, holders: [], draft: undefined, fn: undefined };
      this.vertices.set(value, vertex);
      this.#pending.push(vertex);
    }
    return vertex;
  }

  #hold(value: unknown, holder: Vertex, path: Path): void {
    if (isReference(value)) this.#vertex(value, path).holders.push(holder);
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
