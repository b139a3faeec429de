/**
 * Modules whose compiler has written down types for decorators (`emitDecoratorMetadata`: `design:type` and its like): the
 * compiler of bundles does not do that, so what goes into a bundle is the text that this process runs.
 */
import type { PluginBuild } from "esbuild";
import { metadataFunction } from "./decorator-notes.ts";
import { CaptureError } from "./errors.ts";
import { Inspector, ScriptStore } from "./inspect.ts";
import { packageDirectory } from "./packages.ts";

const TYPESCRIPT = /\.[cm]?tsx?$/;
const TYPES_WRITTEN = /["'`]design:(type|paramtypes|returntype)["'`]/;

/** Whether texts may be asked for at all: without the library that keeps what decorators note, nothing of it is kept here. */
export function keepsDesignTypes(): boolean {
  return metadataFunction() !== undefined;
}

/** The texts of this process; one per bundling. */
export class CompiledTexts {
  readonly #name: string;
  #texts: Map<string, string> | undefined;

  /** @param name the function that the bundle is made of, for people. */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * The JavaScript of a TypeScript file, where types for decorators stand in it; undefined where the file is to be compiled.
   * Throws CaptureError where it should have them, and cannot be had.
   */
  async of(file: string, source: string, build: PluginBuild): Promise<string | undefined> {
    if (!TYPESCRIPT.test(file) || !source.includes("@") || !keepsDesignTypes()) return undefined;
    this.#texts ??= readTexts();
    const text = this.#texts.get(file);
    if (text !== undefined && !TYPES_WRITTEN.test(text)) return undefined;
    if (text === undefined && (![...this.#texts.values()].some((other) => TYPES_WRITTEN.test(other)) || !(await hasDecorators(file, source, build)))) return undefined;
    const module = text === undefined ? undefined : moduleText(text);
    if (module !== undefined) return module;
    throw new CaptureError({
      path: [this.#name, file],
      what: text === undefined ? "types for its decorators (emitDecoratorMetadata) cannot be sent: this program has not loaded the module" : "types for its decorators (emitDecoratorMetadata) cannot be sent: a test runner has rewritten the module",
      cure: text === undefined ? "Import it at the top of your program." : "Keep decorated classes in modules that tsc has compiled, and import those.",
    });
  }
}

function readTexts(): Map<string, string> {
  const inspector = new Inspector(new ScriptStore());
  try {
    return inspector.textsOf((file) => TYPESCRIPT.test(file) && packageDirectory(file) === undefined);
  } finally {
    inspector.close();
  }
}

/** Jest's wrapper around a module. */
const WRAPPED = /^\(\{"Object\.<anonymous>":function\([^)]*\)\{(.*)\n?\}\}\);?\s*$/s;

/** The text as a module; undefined where imports and exports were rewritten for a test runner. */
function moduleText(text: string): string | undefined {
  if (/\b__vi(te)?_(ssr_)?(import|export)/.test(text)) return undefined;
  return WRAPPED.exec(text)?.[1] ?? text;
}

/** Asked of the compiler: an `@` may stand in any comment. */
async function hasDecorators(file: string, source: string, { esbuild }: PluginBuild): Promise<boolean> {
  const { code } = await esbuild.transform(source, { loader: file.endsWith("x") ? "tsx" : "ts", tsconfigRaw: { compilerOptions: { experimentalDecorators: true } } });
  return code.includes("__decorateClass(");
}
