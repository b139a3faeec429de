/** An input that failed -> a test that fails as it did, to be pasted into a test file. Pure. */
import { basename } from "node:path";
import { errorText } from "../runner/spool-line.ts";
import { oneLine, type FailedCall } from "./failed-call.ts";
import { pythonTestOf } from "./test-case-python.ts";

/** A test for Node's own runner, whose form others share; for a function of Python one for pytest. */
export function testCaseOf(call: FailedCall): string {
  if (call.file.endsWith(".py")) return pythonTestOf(call);
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
