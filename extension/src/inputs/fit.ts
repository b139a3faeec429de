/** Whether an exported array may be a function's inputs, by what is written of both. No editor, no type checker. */
import type { FoundValue } from "../functions/outline.ts";

type Kind = "string" | "number" | "boolean" | "array" | "object";

/** True unless the first element and the parameter's type are plainly of different kinds. @param parameter as it is written. */
export function fits({ isArray, first }: Pick<FoundValue, "isArray" | "first">, parameter: string): boolean {
  if (!isArray || parameter === "") return false;
  const [wanted, given] = [kindOfParameter(parameter), kindOfValue(first)];
  return wanted === null || given === null || wanted === given;
}

function kindOfValue(text: string): Kind | null {
  if (/^["'`]/.test(text)) return "string";
  if (/^-?[\d.]/.test(text)) return "number";
  if (/^(true|false)\b/.test(text)) return "boolean";
  return text.startsWith("[") ? "array" : text.startsWith("{") ? "object" : null;
}

/** Such as `x: number`, `{ id, text }: Document`, `[a, b]`; null where only a type checker could tell. */
function kindOfParameter(text: string): Kind | null {
  if (text.startsWith("{")) return "object";
  if (text.startsWith("[")) return "array";
  const [, type = ""] = /^[\w$]+\??\s*:\s*(.*?)(?:\s*=[^>].*)?$/.exec(text) ?? [];
  if (type.includes("|") || type.includes("&")) return null;
  if (/(\[\]|^\[.*\]|^(readonly|Array|ReadonlyArray)\b.*)$/.test(type)) return "array";
  const [plain] = /^(string|number|boolean)$/.exec(type) ?? [];
  return (plain as Kind | undefined) ?? (type.startsWith("{") ? "object" : null);
}
