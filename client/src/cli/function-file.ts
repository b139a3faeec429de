/** `file.ts#fn` -> a captured function. Nothing of the file is run here. */
import { existsSync } from "node:fs";
import { basename, extname, relative, resolve } from "node:path";
import type { Metafile } from "esbuild";
import { captureExport, CaptureError, captureFromSource, exportWantsContext, withEsbuild, type Capture } from "../capture/index.ts";
import { UsageError } from "./failure.ts";

export interface FunctionName {
  readonly file: string;
  readonly name: string;
  /** The function `setup` of its calls, in the same file. */
  readonly setup?: string | undefined;
}

const EXTENSIONS = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"];

/** The file alone stands for its default export. @throws UsageError when there is no such file. */
export function parseFunctionName(text: string): FunctionName {
  const at = text.lastIndexOf("#");
  const file = at < 0 ? text : text.slice(0, at);
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`, "Name a function as file.ts#function; file.ts alone is its default export.");
  if (!EXTENSIONS.includes(extname(file).toLowerCase())) throw new UsageError(`${file} is neither TypeScript nor JavaScript`);
  return { file: resolve(file), name: at < 0 ? "default" : text.slice(at + 1) || "default" };
}

/**
 * A module's export is sent with its module. A function that is not exported, or that stands in a script which starts
 * jobs itself, is sent alone: importing such a script on a worker would start its jobs there.
 * @throws CaptureError when the file cannot be compiled or has no such function.
 */
export async function captureNamed({ file, name, setup }: FunctionName): Promise<Capture> {
  const module = await readModule(file);
  const isExported = (one: string) => module.exports === null || module.exports.includes(one);
  if (name === "default" && !isExported(name)) throw notThere(file, "default export", module);
  const areExports = isExported(name) && (setup === undefined || isExported(setup));
  const capture = areExports && (name === "default" || !module.startsJobs) ? captureExport(file, name, { setup, wantsContext: await exportWantsContext(file, name) }) : await fromSource(file, name, module, setup);
  return { ...capture, name: name === "default" ? basename(file, extname(file)) : name };
}

interface ModuleFacts {
  /** Names of its exports; null for CommonJS, where only running it tells. */
  readonly exports: readonly string[] | null;
  /** It imports `burla`. */
  readonly startsJobs: boolean;
}

async function readModule(file: string): Promise<ModuleFacts> {
  const { metafile } = await withEsbuild(({ build }) =>
    build({
      entryPoints: [file],
      bundle: true,
      packages: "external",
      write: false,
      metafile: true,
      format: "esm",
      platform: "node",
      outfile: "module.mjs",
      logLevel: "silent",
      loader: { ".node": "empty" },
    }),
  ).catch((cause: unknown) => {
    throw compileError(file, cause);
  });
  return factsOf(metafile);
}

function factsOf({ inputs, outputs }: Metafile): ModuleFacts {
  const [output] = Object.values(outputs);
  const entry = inputs[output?.entryPoint ?? ""];
  return {
    exports: entry?.format === "cjs" ? null : (output?.exports ?? []),
    startsJobs: entry?.imports.some(({ path }) => path === "burla") ?? false,
  };
}

async function fromSource(file: string, name: string, module: ModuleFacts, setup: string | undefined): Promise<Capture> {
  try {
    return await captureFromSource(file, name, setup);
  } catch (error) {
    if (error instanceof CaptureError && /has no function of that name/.test(error.message)) throw notThere(file, `function "${error.path[0] ?? name}"`, module);
    throw error;
  }
}

function notThere(file: string, what: string, { exports }: ModuleFacts): UsageError {
  const cure = exports === null || exports.length === 0 ? "It exports nothing by name; functions at its top level can be named too." : `It exports ${exports.join(", ")}; functions at its top level can be named too.`;
  return new UsageError(`${relative(process.cwd(), file)} has no ${what}`, cure);
}

interface EsbuildFailure {
  errors?: { text: string; location?: { file: string; line: number; column: number } | null }[];
}

function compileError(file: string, cause: unknown): Error {
  const first = (cause as EsbuildFailure).errors?.[0];
  if (first === undefined) return cause as Error;
  const { location } = first;
  return new CaptureError({
    path: [relative(process.cwd(), file)],
    ...(location == null ? {} : { location: `${location.file}:${location.line}:${location.column + 1}` }),
    what: `it cannot be compiled: ${first.text}`,
    cure: "Mend that place, or install what is missing.",
    cause,
  });
}
