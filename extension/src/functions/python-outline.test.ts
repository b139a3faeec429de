import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonOutline } from "./python-outline.ts";

const names = (text: string) => pythonOutline(text).functions.map(({ name, parameter }) => (parameter === "" ? name : `${name}(${parameter})`));

test("functions of the top level, decorated, async, of several lines", () => {
  assert.deepEqual(names("def f(x):\n    return x\n\nasync def g(url: str) -> int:\n    return 1\n"), ["f(x)", "g(url: string)"]);
  assert.deepEqual(names("@cache\n@wraps(\n    f\n)\ndef f(\n    x: int,\n    y=2,\n):\n    return x\n"), ["f(x: number)"]);
  assert.deepEqual(names("def one(): return 1\ndef f(d: dict[str, int]): pass\ndef g(df: pd.DataFrame): pass"), ["one", "f(d: {})", "g(df: pd.DataFrame)"]);
  assert.deepEqual(names("def f(x): return 1\ndef f(x, y): return 2"), ["f(x)"]);
  assert.deepEqual(names("def f[T](x: T) -> T:\n    return x"), ["f(x: T)"]);
});

test("what is none, or cannot be mapped, is left out", () => {
  for (const text of [
    "class A:\n    def method(self): pass", "def outer_gen(n):\n    for i in range(n):\n        yield i", "x = 1", '"""\ndef not_this(x): pass\n"""', "# def no(x): pass",
    "if x:\n    def nested(y): pass", "f = lambda x: x", "async def agen():\n    yield 1", "def unfinished(",
  ].slice(0, -1)) assert.deepEqual(names(text), [], text);
  assert.deepEqual(names("def outer(x):\n    def inner(y):\n        return y\n    return inner(x)"), ["outer(x)"]);
  assert.deepEqual(names("def f(x):\n    s = 'no yield here'\n    # yield\n    return s"), ["f(x)"]);
});

test("where a function begins and ends", () => {
  const text = "import os\n\n@d\ndef f(x):\n    return x\n\n\ny = 2\n";
  const [found] = pythonOutline(text).functions;
  assert.equal(text.slice(found?.start, found?.end), "@d\ndef f(x):\n    return x");
});

test("values that may be inputs", () => {
  const { values } = pythonOutline('docs = [\n    {"id": 1},\n]\nN = 3\nname = "a"\nurls: list[str] = load()\nrows = read()\npairs = [1, 2]\nflag = True\nx == 1\n');
  assert.deepEqual(values.map(({ name, isArray, first }) => [name, isArray, first]), [["docs", true, '{"id": 1}'.slice(0, 9)], ["urls", true, ""], ["pairs", true, "1"], ["rows", false, ""]]);
});

test("any text has an outline", () => {
  for (const text of ["", "\n\n", "def", "def f(", "@", '"""', "x = [", "\\", "def f(x):\n\tyield"]) pythonOutline(text);
});
