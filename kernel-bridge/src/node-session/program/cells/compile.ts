/** Composed text -> the script that V8 runs, with its map to the cell. */
import { transform, type Message, type TransformFailure } from "esbuild";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { Script, constants } from "node:vm";
import { joinPieces, type Piece } from "./pieces.ts";
import { CellSyntaxError, type ParseOptions } from "./parse.ts";

export interface CompiledScript {
  readonly script: Script;
  /** From what V8 runs to the cell. */
  readonly map: TraceMap;
}

/** @throws CellSyntaxError for what the parser lets pass. */
export async function compileScript(pieces: readonly Piece[], source: string, options: ParseOptions & { readonly filename: string }): Promise<CompiledScript> {
  const { label, language } = options;
  const joined = joinPieces(pieces, source, cellUrl(label));
  const { code, map } = await lower(joined, language, (message) => syntaxErrorOf(message, joined.map, source, label));
  const traced = new TraceMap(map);
  return { script: v8Script({ code, map, source, options }, (line, column) => originalPositionFor(traced, { line, column })), map: traced };
}

/**
 * The name of a cell as source maps have it. With a scheme, since the map's readers take other names for files; the
 * client takes it out of stacks again.
 */
function cellUrl(label: string): string {
  return `burla-evaluated:${encodeURI(label)}`;
}

async function lower(joined: { code: string; map: string }, language: ParseOptions["language"], failure: (message: Message) => Error): Promise<{ code: string; map: string }> {
  try {
    return await transform(`${joined.code}\n${mapComment(joined.map)}`, {
      loader: language === "typescript" ? "ts" : "js",
      target: `node${process.versions.node}`,
      sourcemap: "external",
      logLevel: "silent",
      // Not the user's own: it is for a compiler of modules.
      tsconfigRaw: { compilerOptions: { experimentalDecorators: false } },
    });
  } catch (error) {
    const [message] = (error as TransformFailure).errors ?? [];
    throw message === undefined ? error : failure(message);
  }
}

function syntaxErrorOf({ text, location }: Message, map: string, source: string, label: string): Error {
  const found = originalPositionFor(new TraceMap(map), { line: location?.line ?? 1, column: location?.column ?? 0 });
  return new CellSyntaxError(text, source, label, { line: found.line ?? 1, column: (found.column ?? 0) + 1 });
}

interface LoweredScript {
  readonly code: string;
  readonly map: string;
  readonly source: string;
  readonly options: ParseOptions & { readonly filename: string };
}

type OriginalOf = (line: number, column: number) => { line: number | null; column: number | null };

function v8Script({ code, map, source, options: { label, filename } }: LoweredScript, original: OriginalOf): Script {
  try {
    return new Script(`${code}${mapComment(map)}`, { filename, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [, line, carets = ""] = /^[^\n]*:(\d+)\n[^\n]*\n([^\n]*)/.exec(error.stack ?? "") ?? [];
    const found = original(Number(line ?? 1), Math.max(0, carets.indexOf("^")));
    throw new CellSyntaxError(error.message, source, label, { line: found.line ?? 1, column: (found.column ?? 0) + 1 });
  }
}

/** Put together here, so that tools that look for the map of this very file do not find it. */
function mapComment(map: string): string {
  return `${["//#", `sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString("base64")}`].join(" ")}\n`;
}
