import assert from "node:assert/strict";
import { test } from "node:test";
import { partsAround } from "./cell-parts.ts";

const python = (text: string, line: number) => partsAround(text, "python", line);
const script = (text: string, line: number) => partsAround(text, "node", line);

test("a Python statement of several lines stands alone, with what belongs to it", () => {
  const loop = "# carries its state\nfor x in xs:\n    total = step(total, x)\n\n    if total:\n        break\nelse:\n    pass";
  const text = `xs = load(\n    "a"\n)\n\n${loop}\n\npages = [scrape(u) for u in urls]\nlen(pages)`;
  for (const line of [6, 7, 9, 11]) assert.deepEqual(python(text, line), ['xs = load(\n    "a"\n)', loop, "pages = [scrape(u) for u in urls]\nlen(pages)"], `line ${line}`);
  assert.deepEqual(python(text, 1), ['xs = load(\n    "a"\n)', `${loop}\n\npages = [scrape(u) for u in urls]\nlen(pages)`]);
});

test("texts, brackets, decorators and lines that go on begin no statement", () => {
  assert.deepEqual(python('a = """\nnot this\n""" + f(")")\nb = 1', 2), ['a = """\nnot this\n""" + f(")")', "b = 1"]);
  assert.deepEqual(python("x = [\n1,\n2]\ny = 2", 2), ["x = [\n1,\n2]", "y = 2"]);
  assert.deepEqual(python("@cache\ndef f(x):\n    return x\ny = f(1)", 2), ["@cache\ndef f(x):\n    return x", "y = f(1)"]);
  assert.deepEqual(python("z = 1 + \\\n2\nw = 'it\\'s'\nv = 3", 2), ["z = 1 + \\\n2", "w = 'it\\'s'\nv = 3"]);
  assert.deepEqual(python("try:\n    a()\nexcept E:\n    b()\nc()", 4), ["try:\n    a()\nexcept E:\n    b()", "c()"]);
});

test("a statement of TypeScript likewise", () => {
  const text = "const a = 1;\n\n// counts\nfor (const x of xs) {\n  total += x;\n}\nconst b = xs.map(f);";
  assert.deepEqual(script(text, 5), ["const a = 1;", "// counts\nfor (const x of xs) {\n  total += x;\n}", "const b = xs.map(f);"]);
  assert.deepEqual(script("one();", 9), ["one();"]);
  assert.deepEqual(script("", 1), []);
});
