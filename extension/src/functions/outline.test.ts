import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { functionAt } from "./at-selection.ts";
import { outlineOf, type LanguageId } from "./outline.ts";

function names(text: string, language: LanguageId = "typescript"): string[] {
  return outlineOf(text, language).functions.map(({ name, label }) => (name === label ? name : `${name}: ${label}`));
}

test("functions in all their spellings", () => {
  for (const [text, ...expected] of [
    ["function plain(x) {}", "plain"],
    ["export function score(x: number): number { return x; }", "score"],
    ["export async function load(url: string) { await 1; }", "load"],
    ["export default function score(x) {}", "default: score"],
    ["export default function (x) {}", "default: default export"],
    ["export default async (x) => x;", "default: default export"],
    ["export const f = (x: number): number => x * 2;", "f"],
    ["const f = x => x", "f"],
    ["const f = async function named(x) { return x; };", "f"],
    ["const a = 1, f = (x) => x, g = function () {};", "f", "g"],
    ["export const f = <T>(x: T): T => x;", "f"],
    ["export const f = <T,>(x: T): T => x;", "f"],
    ["export const f = async <T>(x: T): Promise<T> => x;", "f"],
    ["const f = async <T,>(x: T): Promise<T> => x;\nexport function g(x) { return x }", "f", "g"],
    ["export const f: Mapper<number> = (x) => x;", "f"],
    ["export const f = ((x: number) => x) satisfies Mapper;", "f"],
    ["export const f = ((x) => x) as Mapper;", "f"],
    ["let f: (x: number) => number = (x) => { return x; };", "f"],
    ["function over(x: string): void;\nfunction over(x: number): void;\nfunction over(x: unknown): void {}", "over"],
    ["const f = (x) => x; export { f as renamed };", "f"],
    ["#!/usr/bin/env node\nexport function f() {}", "f"],
    ["@decorate class A {}\nfunction f() {}", "f"],
  ] as const) {
    assert.deepEqual(names(text), expected, text);
  }
});

test("functions of CommonJS modules", () => {
  assert.deepEqual(names("exports.f = (x) => x;\nmodule.exports.g = function (x) {};", "javascript"), ["f", "g"]);
  assert.deepEqual(names("module.exports = async function (x) {};", "javascript"), ["default: module.exports"]);
  assert.deepEqual(names("other.f = (x) => x; module.exports = { f };", "javascript"), []);
});

test("what cannot be run over inputs is left out", () => {
  for (const text of [
    "declare function f(x: number): void;",
    "export declare const f: (x: number) => number;",
    "function* generate() { yield 1; }",
    "export const g = async function* () {};",
    "class A { static make(x) {} method() {} }",
    "export default class {}",
    "namespace N { export function inside() {} }",
    "if (x) { function nested() {} }",
    "type F = (x: number) => number; interface G { (x: number): void }",
    "const wrapped = memoize((x) => x); xs.map((x) => x); const y = f(x);",
    "const s = other as (x: number) => number;",
  ]) {
    assert.deepEqual(names(text), [], text);
  }
});

test("JSX is no obstacle", () => {
  assert.deepEqual(names("export const View = (p: P) => <div onClick={() => 1}>{p.x}</div>;\nexport function f(x) {}", "typescriptreact"), ["View", "f"]);
});

test("an unfinished line hides no export after it", () => {
  assert.deepEqual(names("export function a(x) { if (x { \n}\nexport const b = (x) => {\n  return x.\n}\nexport function c(x) {}"), ["a", "b", "c"]);
});

test("no text makes it throw", () => {
  const word = fc.constantFrom("function", "export", "default", "async", "=>", "(", ")", "{", "}", "<", ">", "`", "${", "'", "const", "f", "=", "x", ";", "\n", "*", ":", "class", "/", "module.exports", ",");
  fc.assert(fc.property(fc.array(word, { maxLength: 60 }), (words) => {
    const text = words.join(" ");
    for (const { start, end } of outlineOf(text, "typescript").functions) assert.ok(start >= 0 && start < end && end <= text.length);
    functionAt(text, "typescriptreact", { start: text.length >> 1, end: text.length });
  }));
});

test("the first parameter, as it is written", () => {
  for (const [text, parameter] of [
    ["function f(x: number, y = 2) {}", "x: number"],
    ["export const f = async ({ id,\n  text }: Row) => id;", "{ id, text }: Row"],
    ["const f = x => x", "x"],
    ["export default function (xs: Map<string, number>) {}", "xs: Map<string, number>"],
    ["function f() {}", ""],
    ["exports.f = function (row) {};", "row"],
  ] as const) {
    assert.equal(outlineOf(text, "typescript").functions[0]?.parameter, parameter, text);
  }
});

test("exported values, arrays first", () => {
  const { values } = outlineOf(
    `export const limit = 3, name = "x", options = { a: 1 };
export const client = connect();
export const documents: Doc[] = load();
export const ids = [1, 2];
export const more = Array.from({ length: 3 }, (_, i) => i);
export const mapped = ids.map((id) => ({ id })), kept = ids.filter(Boolean);
const inner = [1]; const secret = [2];
export { inner as outer };
export default [1, 2];`,
    "typescript",
  );
  assert.deepEqual(values.filter(({ isArray }) => isArray).map(({ name }) => name), ["documents", "ids", "more", "mapped", "kept", "outer", "default"]);
  assert.deepEqual(values.filter(({ isArray }) => isArray).map(({ first }) => first), ["", "1", "", "", "", "1", "1"]);
  assert.deepEqual(values.filter(({ isArray }) => !isArray).map(({ name }) => name), ["client"]);
});

const FILE = `const rows = [1];
export function outer(limit: number) {
  return rows.map((row) => row * limit);
}
const doubled = rows.map((row) => {
  return [row].map((x) => x * 2);
});
`;

function meant(start: number, end = start): string | null {
  const found = functionAt(FILE, "typescript", { start, end });
  if (found === null) return null;
  return found.ref.kind === "named" ? found.ref.name : FILE.slice(found.ref.start, found.ref.end);
}

test("the cursor means the function of the top level around it", () => {
  assert.equal(meant(FILE.indexOf("return rows")), "outer");
  assert.equal(meant(FILE.indexOf("row * limit")), "outer");
  assert.equal(meant(FILE.indexOf("const rows")), null);
});

test("within no function of the top level it means the outermost function expression", () => {
  assert.match(meant(FILE.indexOf("x * 2")) ?? "", /^\(row\) => \{[^]*\}$/);
});

test("a selected function expression means itself", () => {
  const at = (text: string, before = 0, after = 0) => meant(FILE.indexOf(text) - before, FILE.indexOf(text) + text.length + after);
  assert.equal(at("(x) => x * 2"), "(x) => x * 2");
  assert.equal(at("(row) => row * limit"), "(row) => row * limit");
  assert.equal(at("(x) => x * 2", 0, 0), "(x) => x * 2");
  assert.equal(meant(FILE.indexOf("export function"), FILE.indexOf("const doubled")), "outer");
});
