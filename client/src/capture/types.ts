/** What capturing makes of a function, and bundling of that. */
import type { Entry } from "./entry.ts";
import type { ExternalPackage } from "./packages.ts";
import type { ScriptParts } from "./script-parts.ts";

/** One part of what is sent with a function. */
export interface Explained {
  name: string;
  kind: "function" | "class" | "import" | "value" | "seen above";
  /** Where a function is written, what is imported from where, what kind of value it is. */
  detail: string;
  /** Serialised size of a value, where it can be told apart. */
  bytes?: number;
  parts: Explained[];
}

/** What a capture sends. */
export interface Explanation {
  root: Explained;
  /** Names that the code uses and every worker has by itself. */
  leftOut: string[];
}

/** A function, ready to be bundled, and what it closes over. */
export interface Capture {
  /** The function's name, for people. */
  name: string;
  /** The values it closes over, as they were when it was captured; the bundle restores them. */
  values: Uint8Array;
  /** The module that the bundle is made from. It depends on code only: other values give the same entry. */
  entry: Entry;
  /** Folder of the function's file, or that from which code in no file imports. */
  origin: string;
  /** What is sent, for people; only if asked for. */
  explanation?: Explanation;
  /** Of captured values that are too many to be sent. */
  largest?: { name: string; bytes: number } | null;
  /** For a function read from the source of a script: which of the script's statements go with it. */
  parts?: ScriptParts;
}

/** A function as one ES module whose default export restores it: `await restore(values)`. */
export interface Bundle {
  /** What it is called on clusters: `bundleIdOf` the code and the externals. */
  id: string;
  code: Uint8Array;
  /** Packages that the code imports and does not hold. */
  externals: ExternalPackage[];
  /** What went in, for people. */
  contents: { file: string; bytes: number }[];
}
