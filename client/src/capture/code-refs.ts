/** A module as one place of the user's code names it. */
export interface ModuleSource {
  /** As written, or an absolute file path. */
  specifier: string;
  /** The file that names it, or a folder when the code is in no file: what the specifier is resolved from. */
  from: string;
  /** How it is asked for: decides which of a package's two builds is meant. */
  how: "import" | "require";
  /** Import attributes, such as `{ type: "json" }`. */
  attributes?: Record<string, string>;
}

/** What compilers wrap around `require` to make its answer look like an ES module. */
export type Interop = "esbuild" | "esbuild-node" | "default" | "star";

/** A value that is the same on every machine because code makes it: it travels as code, not as data. */
export type CodeRef =
  | {
      kind: "module";
      source: ModuleSource;
      /** The export; `*` is the module itself. */
      name: string;
      /** Property names to follow from there. */
      path: string[];
      interop?: Interop;
      /** What the user's code calls it. */
      alias?: string;
    }
  | { kind: "global"; expression: string };

/** Two references with the same key are the same value. */
export function codeRefKey(ref: CodeRef): string {
  return ref.kind === "global"
    ? ref.expression
    : JSON.stringify([sourceKey(ref.source), ref.name, ref.path, ref.interop]);
}

/** Two sources with the same key are the same module. */
export function sourceKey(source: ModuleSource): string {
  const place = source.specifier.startsWith("node:") || source.specifier === "burla" ? "" : source.from;
  return JSON.stringify([source.specifier, place, source.how, source.attributes ?? {}]);
}
