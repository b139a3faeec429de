/** An input that failed -> a test that fails as it did, to be pasted into a test file. Pure. */
import { basename } from "node:path";
import type { FunctionRef } from "../runner/messages.ts";
import { errorText, type PlainError } from "../runner/spool-line.ts";

export interface FailedCall {
  /** The file of the function. */
  readonly file: string;
  readonly fn: FunctionRef;
  readonly label: string;
  /** Whether the file lets others import it. */
  readonly isExported: boolean;
  readonly index: number;
  /** As the spool has it; undefined when it was too long to be kept. */
  readonly input: unknown;
  readonly sourceLabel: string;
  readonly error: PlainError;
}

/** A test of the function's own language: for pytest, or for Node's own runner, whose form others share. */
export function testCaseOf(call: FailedCall): string {
  return call.file.endsWith(".py") ? pythonTest(call) : scriptTest(call);
}

function pythonTest({ file, label, index, input, sourceLabel, error }: FailedCall): string {
  const argument = input === undefined ? `...)  # input ${index} of ${oneLine(sourceLabel)}: it is too long to be copied` : `${pythonSourceOf(input)})`;
  return [
    `from ${basename(file, ".py")} import ${label}`,
    "",
    "",
    `def test_${label}_input_${index}():`,
    `    # Input ${index} of ${oneLine(sourceLabel)} ended with ${oneLine(errorText(error))}`,
    `    ${label}(${argument}`,
    "",
  ].join("\n");
}

/** Likewise, in Python. */
export function pythonSourceOf(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonSourceOf).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  if ("$type" in value) return pythonTagged(value as Tagged);
  return `{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}: ${pythonSourceOf(part)}`).join(", ")}}`;
}

function pythonTagged({ $type, value, base64 }: Tagged): string {
  switch ($type) {
    case "number":
      return `float(${JSON.stringify(String(value).toLowerCase().replace("infinity", "inf"))})`;
    case "bigint":
      return String(value);
    case "Set":
      return `set(${pythonSourceOf(value)})`;
    case "Uint8Array":
      if (typeof base64 === "string") return `__import__("base64").b64decode(${JSON.stringify(base64)})`;
  }
  // What it was is told as a text: the test has to make it.
  return JSON.stringify(`${String($type)} ${String(value)}`.slice(0, 200));
}

function scriptTest(call: FailedCall): string {
  const { label, index, sourceLabel, error } = call;
  const name = isIdentifier(label) ? label : "fn";
  const argument = call.input === undefined ? `undefined /* input ${index} of ${sourceLabel}: it is too long to be copied */` : sourceOf(call.input);
  return [
    'import test from "node:test";',
    ...importLines(call, name),
    "",
    `// Input ${index} of ${oneLine(sourceLabel)} ended with ${oneLine(errorText(error))}`,
    `test(${JSON.stringify(`${label}, input ${index}`)}, async () => {`,
    `  await ${name}(${argument});`,
    "});",
    "",
  ].join("\n");
}

function importLines({ file, fn, isExported }: FailedCall, name: string): string[] {
  const from = JSON.stringify(`./${basename(file)}`);
  if (fn.kind === "range") return [`const ${name} = undefined; // a function within ${basename(file)}: paste it here`];
  if (fn.name === "default") return [`import ${name} from ${from};`];
  return [`import { ${name} } from ${from};${isExported ? "" : ` // to be exported there`}`];
}

/** JSON with the signs of values that JSON has no word for -> the expression that makes the value. */
export function sourceOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sourceOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if ("$type" in value) return taggedSource(value as Tagged);
  const parts = Object.entries(value).map(([key, part]) => `${isIdentifier(key) ? key : JSON.stringify(key)}: ${sourceOf(part)}`);
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

interface Tagged {
  readonly $type: unknown;
  readonly value?: unknown;
  readonly base64?: unknown;
  readonly message?: unknown;
}

function taggedSource({ $type, value, base64, message }: Tagged): string {
  switch ($type) {
    case "number":
      return String(value);
    case "bigint":
      return `${String(value)}n`;
    case "RegExp":
      return String(value);
    case "Date":
      return "new Date(Number.NaN)";
    case "Error":
      return `new Error(${JSON.stringify(message ?? "")})`;
    case "Uint8Array":
      if (typeof base64 === "string") return `Buffer.from(${JSON.stringify(base64)}, "base64")`;
  }
  if (Array.isArray(value) && typeof $type === "string" && isIdentifier($type)) return `new ${$type}(${$type.startsWith("Big") ? `[${value.map((item) => `${String(item)}n`).join(", ")}]` : sourceOf(value)})`;
  return `undefined /* ${oneLine(String($type))} */`;
}

function isIdentifier(text: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("*/", "* /");
}
