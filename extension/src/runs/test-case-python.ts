/** An input that failed -> a test for pytest that fails as it did. Pure. */
import { basename } from "node:path";
import { errorText } from "../runner/spool-line.ts";
import { oneLine, type FailedCall } from "./failed-call.ts";

export function pythonTestOf(call: FailedCall): string {
  const { file, label, index, input, sourceLabel, error } = call;
  const module = basename(file, ".py");
  const argument = input === undefined ? `...)  # input ${index} of ${oneLine(sourceLabel)}: it is too long to be copied` : `${pythonSourceOf(input)})`;
  const name = label.replace(/[^\p{ID_Continue}]+/gu, "_");
  return [
    isIdentifier(module) ? `from ${module} import ${label}` : `import importlib\n\n${label} = importlib.import_module(${JSON.stringify(module)}).${label}`,
    "",
    "",
    `def test_${name}_input_${index}():`,
    `    # Input ${index} of ${oneLine(sourceLabel)} ended with ${oneLine(errorText(error))}`,
    `    ${label}(${argument}`,
    "",
  ].join("\n");
}

/** JSON with the signs of values that JSON has no word for -> the expression of Python that makes the value. */
export function pythonSourceOf(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonSourceOf).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  if ("$type" in value) return taggedSource(value as Tagged);
  return `{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}: ${pythonSourceOf(part)}`).join(", ")}}`;
}

interface Tagged {
  readonly $type: unknown;
  readonly value?: unknown;
  readonly base64?: unknown;
}

function taggedSource({ $type, value, base64 }: Tagged): string {
  if ($type === "number") return `float(${JSON.stringify(String(value).replace("Infinity", "inf"))})`;
  if ($type === "bigint") return String(value);
  if ($type === "Uint8Array" && typeof base64 === "string") return `__import__("base64").b64decode(${JSON.stringify(base64)})`;
  if ($type === "Set" && Array.isArray(value)) return `set([${value.map(pythonSourceOf).join(", ")}])`;
  if ($type === "Map" && Array.isArray(value)) return `dict([${value.map((pair) => `(${(pair as unknown[]).map(pythonSourceOf).join(", ")})`).join(", ")}])`;
  return JSON.stringify(`a ${String($type)}, which Python has no word for`);
}

function isIdentifier(text: string): boolean {
  return /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(text);
}
