import { decodedMappings, encodedMappings, TraceMap, type DecodedSourceMap } from "@jridgewell/trace-mapping";
import { IMPORT_SCHEME, type Entry } from "./entry.ts";

type Segments = DecodedSourceMap["mappings"][number];

/** The code and map of an entry that names files in the place of our specifiers: `files[n]` for `burla-import:n`, where there is one. */
export function withFiles({ code, map }: Entry, files: readonly (string | undefined)[]): Pick<Entry, "code" | "map"> {
  const mappings = decodedMappings(new TraceMap(map)).map((line) => line.map((segment) => [...segment] as Segments[number]));
  const specifier = new RegExp(`${IMPORT_SCHEME}(\\d+)(?=")`, "g");
  const lines = code.split("\n").map((line, row) => {
    let longer = 0;
    return line.replaceAll(specifier, (text, number: string, column: number) => {
      const file = files[Number(number)];
      if (file === undefined) return text;
      const path = JSON.stringify(file).slice(1, -1);
      moveAfter(mappings[row], column + longer, path.length - text.length);
      longer += path.length - text.length;
      return path;
    });
  });
  const moved = new TraceMap({ ...(JSON.parse(map) as DecodedSourceMap), mappings });
  return { code: lines.join("\n"), map: JSON.stringify({ ...(JSON.parse(map) as object), mappings: encodedMappings(moved) }) };
}

function moveAfter(line: Segments | undefined, column: number, by: number): void {
  for (const segment of line ?? []) if (segment[0] > column) segment[0] += by;
}
