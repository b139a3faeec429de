import type { CodeRef } from "./code-refs.ts";
import type { FunctionShape } from "./functions.ts";
import type { NodeKind } from "./heap-format.ts";
import type { Path } from "./path.ts";

/** Something that a function reaches and that is not a primitive: an object, a function, a symbol, a shared variable. */
export interface Vertex {
  value: object | symbol;
  path: Path;
  /** Whether a structured clone would lose something of it, or of something that it holds. */
  special: boolean;
  holders: Vertex[];
  /** Functions that lie on the way to it: see `MAX_FUNCTIONS`. */
  functionsAbove: number;
  draft: Draft | undefined;
  /** How the function travels, for functions. */
  fn: FunctionShape | undefined;
}

/** A heap node whose slots still are the values themselves. */
export interface Draft {
  kind: NodeKind;
  data?: unknown;
  slots: unknown[];
  /** The prototype, where what the text makes has another. */
  proto?: unknown;
  props?: { flags: number[]; slots: unknown[] };
  integrity?: number;
  /** Private fields for each class that has some, base class first. */
  privates?: { owner: object; names: string[]; values: unknown[] }[];
  /** For the kind `code`. */
  ref?: CodeRef;
}

/** Notes that `holder` holds the value, and has it walked. */
export type Hold = (value: unknown, holder: Vertex, path: Path) => void;

/** How a function travels, wherever it was met first. */
export type ShapeOf = (fn: object, path: Path) => FunctionShape | undefined;
