import { serialize } from "node:v8";
import { bytesText } from "../bytes-text.ts";
import type { ClosedOver } from "./functions.ts";
import type { ScriptParts, StatementLine } from "./script-parts.ts";
import type { Template } from "./template.ts";
import type { Bundle, Capture, Explained, Explanation } from "./types.ts";
import type { ValueGraph } from "./values.ts";
import type { Vertex } from "./vertex.ts";
import type { World } from "./world.ts";

/** Describes what a capture holds, for people. */
export function explainGraph(graph: ValueGraph, root: Vertex, name: string, world: World): Explanation {
  const seen = new Set<unknown>();
  const leftOut = new Set<string>();
  const explain = (label: string, value: unknown): Explained => {
    const vertex = graph.vertices.get(value as object);
    if (vertex === undefined) return valueOf(label, value);
    if (seen.has(value)) return { name: label, kind: "seen above", detail: "", parts: [] };
    seen.add(value);
    if (vertex.fn?.kind === "closure") return closure(label, vertex.fn.template, vertex.fn.variables);
    const draft = vertex.special ? graph.draftOf(vertex) : undefined;
    if (draft?.ref !== undefined) {
      const { ref } = draft;
      return { name: label, kind: "import", detail: ref.kind === "global" ? `the global ${ref.expression}` : importText(ref.name, ref.path, ref.source.specifier), parts: [] };
    }
    if (draft === undefined) return valueOf(label, value);
    const parts = draft.slots.concat(draft.props?.slots ?? []).filter((slot) => graph.vertices.get(slot as object)?.special === true);
    return { name: label, kind: "value", detail: typeText(value), parts: parts.map((part) => explain(labelOf(draft.props?.slots, part), part)) };
  };
  const closure = (label: string, template: Template, variables: readonly ClosedOver[]): Explained => {
    const parts: Explained[] = [];
    for (const [free, supply] of template.supplies) {
      if (supply.kind === "global") leftOut.add(free);
      if (supply.kind === "code" && supply.ref.kind === "module") {
        const { name: imported, path, source } = supply.ref;
        parts.push({ name: free, kind: "import", detail: importText(imported, path, source.specifier), parts: [] });
      }
      const variable = variables.find((one) => one.name === free);
      if (variable !== undefined) parts.push(explain(free, variable.value));
    }
    const isClass = template.site.node.type.startsWith("Class");
    return { name: label, kind: isClass ? "class" : "function", detail: world.location(template.script, template.site.textStart), parts };
  };
  return { root: explain(name, root.value), leftOut: [...leftOut].sort() };
}

/** The largest of the values that are sent, by the name that the code knows it by; null when only code is. */
export function largestOf({ root }: Explanation): { name: string; bytes: number } | null {
  const all = (part: Explained): Explained[] => [part, ...part.parts.flatMap(all)];
  const [first] = all(root).filter(({ bytes }) => bytes !== undefined).sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
  return first === undefined ? null : { name: first.name, bytes: first.bytes ?? 0 };
}

/** The explanation and the bundle as text: a tree of what is sent, then what was bundled and what stays outside. */
export function explainText(capture: Capture, bundle: Bundle): string {
  const { explanation } = capture;
  const lines = explanation === undefined ? [`${capture.name}: ${originText(capture)}`] : treeLines(explanation.root, "", "");
  lines.push(...partLines(capture.parts));
  lines.push("", `values: ${bytesText(capture.values.byteLength)}   code: ${bytesText(bundle.code.byteLength)}   bundle ${bundle.id.slice(0, 12)}`);
  if (bundle.contents.length > 0) lines.push("", "bundled:");
  for (const { file, bytes } of [...bundle.contents].sort((a, b) => b.bytes - a.bytes)) lines.push(`  ${bytesText(bytes).padStart(10)}  ${file}`);
  if (bundle.externals.length > 0) lines.push("", "installed where it runs:");
  for (const { name, version } of bundle.externals) lines.push(`  ${name}@${version}`);
  if ((explanation?.leftOut.length ?? 0) > 0) lines.push("", `left out, every worker has it: ${explanation?.leftOut.join(", ")}`);
  return `${lines.join("\n")}\n`;
}

function originText({ parts, entry }: Capture): string {
  if (parts !== undefined) return `read from ${parts.file}, with what it needs of that file`;
  return `imported from ${entry.imports[0]?.specifier ?? "its module"}, which runs as a whole where the function runs`;
}

function partLines(parts: ScriptParts | undefined): string[] {
  if (parts === undefined) return [];
  const list = (title: string, statements: readonly StatementLine[]) =>
    statements.length === 0 ? [] : ["", title, ...statements.map(({ line, text }) => `  ${String(line).padStart(5)}  ${text}`)];
  return [...list("sent of its file, by line:", parts.sent), ...list("left out of its file, by line:", parts.leftOut)];
}

/** The same as data, for `--json`. */
export function explainJson(capture: Capture, bundle: Bundle): object {
  return {
    name: capture.name,
    explanation: capture.explanation ?? null,
    parts: capture.parts ?? null,
    valuesBytes: capture.values.byteLength,
    codeBytes: bundle.code.byteLength,
    bundleId: bundle.id,
    bundled: bundle.contents,
    externals: bundle.externals,
  };
}

function treeLines(node: Explained, first: string, rest: string): string[] {
  const size = node.bytes === undefined ? "" : `  ${bytesText(node.bytes)}`;
  const lines = [`${first}${node.name}  ${node.kind}${node.detail === "" ? "" : `  ${node.detail}`}${size}`];
  node.parts.forEach((part, index) => {
    const isLast = index === node.parts.length - 1;
    lines.push(...treeLines(part, `${rest}${isLast ? "└─ " : "├─ "}`, `${rest}${isLast ? "   " : "│  "}`));
  });
  return lines;
}

function valueOf(name: string, value: unknown): Explained {
  return { name, kind: "value", detail: typeText(value), bytes: sizeOf(value), parts: [] };
}

function sizeOf(value: unknown): number {
  return serialize(value).byteLength;
}

function typeText(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (typeof value !== "object") return typeof value;
  return (value.constructor as { name?: string } | undefined)?.name ?? "object";
}

function labelOf(props: readonly unknown[] | undefined, part: unknown): string {
  const index = props?.indexOf(part) ?? -1;
  const key = index > 0 ? props?.[index - 1] : undefined;
  if (typeof key === "string") return key;
  return typeof part === "function" && part.name !== "" ? part.name : typeText(part);
}

function importText(name: string, path: readonly string[], specifier: string): string {
  const member = [...(name === "*" ? [] : [name]), ...path].join(".");
  return member === "" ? specifier : `${member} from ${specifier}`;
}
