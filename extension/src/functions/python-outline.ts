/** The top level of a Python file, as far as running a function needs it. Reads lines: any text gives something. */
import { pythonStarts } from "./python-lines.ts";
import type { FoundFunction, FoundValue, Outline } from "./outline.ts";

const DEFINITION = /^(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*(?:\[[^\]]*\])?\(/;
const ASSIGNMENT = /^([A-Za-z_]\w*)[ \t]*(?::[ \t]*([^=]+?)[ \t]*)?=(?!=)[ \t]*(.+)/s;
const LIST = /^(?:\[|\(|list\(|range\(|sorted\(|tuple\(|set\()/;
const NO_INPUTS = /^(?:-?[\d.]|["'fbru]{1,3}(?<=["'])|True\b|False\b|None\b|lambda\b|\{)/;
/** Functions that give their values one by one are no calls for a cluster. */
const YIELDS = /^[ \t]+(?:[^#"'\n]*[=( \t])?yield\b/m;

export function pythonOutline(text: string): Outline {
  const lines = text.split("\n");
  const offsets = offsetsOf(lines);
  const functions: FoundFunction[] = [];
  const values: FoundValue[] = [];
  const starts = pythonStarts(lines);
  for (const [at, start] of starts.entries()) {
    const end = starts[at + 1] ?? lines.length;
    const [from, to] = [offsets[start] ?? 0, offsets[end] ?? text.length];
    readStatement(text.slice(from, to), from, functions, values);
  }
  return { functions: newest(functions), values: [...values].sort((a, b) => Number(b.isArray) - Number(a.isArray)) };
}

function readStatement(statement: string, from: number, functions: FoundFunction[], values: FoundValue[]): void {
  const head = statement.slice(decorated(statement));
  const [definition, name] = DEFINITION.exec(head) ?? [];
  if (definition !== undefined && name !== undefined) {
    const body = statement.trimEnd();
    if (!YIELDS.test(body)) functions.push({ name, label: name, parameter: firstParameter(head.slice(definition.length)), isExported: true, start: from, end: from + body.length });
    return;
  }
  const [, variable, annotation = "", value = ""] = ASSIGNMENT.exec(statement) ?? [];
  if (variable === undefined || NO_INPUTS.test(value)) return;
  values.push({ name: variable, isArray: LIST.test(value) || /^(?:list|tuple|List|Sequence)\b/.test(annotation), first: firstElement(value) });
}

/** Where the definition begins below its decorators. */
function decorated(statement: string): number {
  if (!statement.startsWith("@")) return 0;
  return Math.max(0, statement.search(/^(?:async[ \t]+)?(?:def|class)\b/m));
}

/** As it is written, in the words of TypeScript where both have one for it: by that inputs are told that fit. */
function firstParameter(rest: string): string {
  const [, name = "", annotation = ""] = /^\s*(\w+)\s*(?::\s*([\w.]+(?:\[[^\]]*\])?))?/.exec(rest) ?? [];
  if (name === "" || annotation === "") return name;
  const type = TYPES[annotation.replace(/\[.*/s, "")];
  return `${name}: ${type ?? annotation}`;
}

const TYPES: Readonly<Record<string, string>> = { int: "number", float: "number", str: "string", bool: "boolean", list: "Array", List: "Array", tuple: "Array", dict: "{}", Dict: "{}" };

/** Of a list as it is written; empty when that is not to be seen. */
function firstElement(value: string): string {
  const [, first = ""] = /^\[\s*([^\s\],][^\n\],]*)/.exec(value) ?? [];
  return first.trim();
}

/** A later definition takes the place of an earlier one of its name. */
function newest(functions: readonly FoundFunction[]): FoundFunction[] {
  return functions.filter(({ name }, at) => !functions.slice(at + 1).some((other) => other.name === name));
}

function offsetsOf(lines: readonly string[]): number[] {
  const offsets: number[] = [];
  let at = 0;
  for (const line of lines) {
    offsets.push(at);
    at += line.length + 1;
  }
  return offsets;
}
