import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { EVALUATED_SCHEME } from "@burla/protocol";
import type { Script } from "./script.ts";

const maps = new WeakMap<Script, { map: TraceMap | undefined }>();

/** The map from the script, as V8 runs it, to the files that the user wrote; undefined if it is what the user wrote. */
export function sourceMapOf(script: Script): TraceMap | undefined {
  let entry = maps.get(script);
  if (entry === undefined) {
    entry = { map: readMap(script) };
    maps.set(script, entry);
  }
  return entry.map;
}

/** The place in the user's own file, lines from 1. */
export function originalPosition(script: Script, offset: number): { file: string; line: number } {
  const { line, column } = script.positionOf(offset);
  const map = sourceMapOf(script);
  if (map !== undefined) {
    const found = originalPositionFor(map, { line: line + 1, column });
    if (found.source !== null) return { file: pathOf(found.source), line: found.line };
  }
  return { file: script.file ?? (script.url === "" ? "<eval>" : script.url), line: line + 1 };
}

/** A source as maps name it, as the absolute URL that error stacks shall show. */
export function sourceUrl(source: string, script: Script): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(source)) return source;
  const folder = script.file === undefined ? process.cwd() : dirname(script.file);
  return pathToFileURL(resolve(folder, source)).href;
}

function pathOf(source: string): string {
  // Code that stands in no file, such as a cell of a notebook, has its name behind a scheme.
  if (source.startsWith(EVALUATED_SCHEME)) return decodeURI(source.slice(EVALUATED_SCHEME.length));
  return source.startsWith("file:") ? fileURLToPath(source) : source;
}

function readMap(script: Script): TraceMap | undefined {
  const { sourceMapUrl, file } = script;
  if (sourceMapUrl === "") return undefined;
  try {
    const map = JSON.parse(mapText(sourceMapUrl, file)) as { sources: (string | null)[]; sourceRoot?: string };
    const root = map.sourceRoot ?? "";
    map.sources = map.sources.map((source) => (source === null ? null : sourceUrl(root + source, script)));
    delete map.sourceRoot;
    return new TraceMap(map as ConstructorParameters<typeof TraceMap>[0]);
  } catch {
    // A map that is missing or broken costs exact line numbers, nothing else.
    return undefined;
  }
}

function mapText(url: string, file: string | undefined): string {
  const data = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url);
  if (data !== null) {
    const body = data[2] as string;
    return data[1] === undefined ? decodeURIComponent(body) : Buffer.from(body, "base64").toString("utf8");
  }
  if (url.startsWith("file:")) return readFileSync(fileURLToPath(url), "utf8");
  return readFileSync(resolve(file === undefined ? "." : dirname(file), url), "utf8");
}
