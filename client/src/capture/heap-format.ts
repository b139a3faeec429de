/**
 * The form in which captured values travel: what the capturing side writes with `v8.serialize`, and what
 * `restore.ts`, inside the bundle, reads. Plain data stands in it as itself; only what a structured clone would lose
 * (functions, instances, accessors, symbols...) and the containers that hold such a thing become nodes.
 */

/** Values, some of which are nodes: where `refs[i]` is not negative it is the index of a node, else `raws[i]` counts. */
export interface Slots {
  raws: unknown[];
  refs: number[];
}

export interface HeapNode {
  kind: NodeKind;
  /** Meaning depends on the kind. */
  data?: unknown;
  /** Meaning depends on the kind. */
  slots: Slots;
  /** One slot: the prototype, where what the text makes has another. */
  proto?: Slots;
  /** Own properties beyond what the kind makes by itself. */
  props?: Props;
  /** Private fields, base class first; slots: the class, then a value for each name. An entry for each class with private members, even if it has no fields. */
  privates?: { names: string[]; slots: Slots }[];
  /** 1 no new properties, 2 sealed, 3 frozen. */
  integrity?: number;
}

export interface Props {
  /** Bits: 1 writable, 2 enumerable, 4 configurable, 8 accessor, 16 keeps the value that the text gives, 32 is taken off. */
  flags: number[];
  /** For each property its key and value, or its key, getter and setter, or its key alone if it is kept or taken off. */
  slots: Slots;
}

export type NodeKind =
  /** slots: prototype */
  | "object"
  /** data: { length, isFixed }. slots: prototype */
  | "array"
  /** slots: prototype, then keys and values */
  | "map"
  /** slots: prototype, then members */
  | "set"
  /** slots: as those of a map, and of a set */
  | "weakmap"
  | "weakset"
  /** data: { stack }. slots: prototype */
  | "error"
  /** data: milliseconds. slots: prototype */
  | "date"
  /** data: { source, flags }. slots: prototype */
  | "regexp"
  /** slots: prototype, primitive */
  | "boxed"
  /** data: { type, offset, length }. slots: prototype, buffer */
  | "view"
  /** data: { key } or { wellKnown } or { description } */
  | "symbol"
  /** data: { template, early, names }. slots: class's base or method's home prototype, outer this, variables, then as many names of members */
  | "function"
  /** slots: target, this, then arguments */
  | "bound"
  /** data: index into the table of values that code makes */
  | "code"
  /** slots: the function whose `prototype` this is */
  | "prototype"
  /** slots: a function that code makes, then its arguments: the value is what that call gives */
  | "call"
  /** slots: value */
  | "cell"
  /** data: global class name. slots: prototype, then constructor arguments */
  | "construct";

/** The bit values of {@link Props.flags}. */
export const FLAG = { writable: 1, enumerable: 2, configurable: 4, accessor: 8, kept: 16, gone: 32 } as const;
