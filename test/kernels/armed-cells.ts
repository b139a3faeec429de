/** Cells of the table: each is run by the kernel itself, and again on a cluster, and must come to the same. */

export interface ArmedCase {
  readonly name: string;
  /** Run before, by the kernel itself. */
  readonly setup?: string;
  readonly cell: string;
  /** What is compared besides the displayed value: an expression. */
  readonly look?: string;
  readonly how: "map" | "call";
}

const F = "k = 10\ndef f(x, y=0):\n    return x * k + y\nxs = [3, 1, 2]\nys = (5, 6)";

export const ARMED_CASES: readonly ArmedCase[] = [
  // What is mapped
  { name: "a comprehension", setup: F, cell: "[f(x) for x in xs]", how: "map" },
  { name: "assigned to a name", setup: F, cell: "r = [f(x) for x in xs]", look: "r", how: "map" },
  { name: "statements before it run in the kernel", setup: F, cell: "import os\nhere = os.getpid()\nxs = range(4)\nr = [f(x) for x in xs]", look: "r, xs, here == os.getpid()", how: "map" },
  { name: "a condition", setup: F, cell: "r = [f(x) for x in xs if x > 1]", look: "r", how: "map" },
  { name: "several conditions and a :=", setup: F, cell: "r = [f(d) for x in xs if x > 0 if (d := x * 2) > 2]", look: "r, d", how: "map" },
  { name: "the variable in a larger expression", setup: F, cell: "r = [f(x, k) + 1 for x in xs]", look: "r", how: "map" },
  { name: "several generators", setup: F, cell: "r = [f(x, y) for x in xs for y in ys if x != y]", look: "r", how: "map" },
  { name: "a generator that depends on the one before", setup: F, cell: "r = [f(x, y) for x in xs for y in range(x)]", look: "r", how: "map" },
  { name: "a tuple as target", setup: F, cell: "r = [f(x, y) for x, y in zip(xs, ys)]", look: "r", how: "map" },
  { name: "a nested target with a star", setup: F, cell: "r = [(f(a), rest) for (a, *rest), _ in [((1, 2, 3), 4), ((5, 6), 7)]]", look: "r", how: "map" },
  { name: "enumerate", setup: F, cell: "r = [f(x, i) for i, x in enumerate(xs)]", look: "r", how: "map" },
  { name: "no variable used", setup: F, cell: "r = [f(1) for _ in range(3)]", look: "r", how: "map" },
  { name: "a list in a list", setup: F, cell: "r = [[f(y) for y in range(x)] for x in xs]", look: "r", how: "map" },
  { name: "a lambda in it", setup: F, cell: "r = [sorted(ys, key=lambda y: f(y, x)) for x in xs]", look: "r", how: "map" },
  { name: "a method", setup: "class Model:\n    def __init__(self, w): self.w = w\n    def score(self, x): return self.w * x\nmodel = Model(4)", cell: "r = [model.score(x) for x in range(5)]", look: "r", how: "map" },
  { name: "a function of a module", setup: "import math", cell: "r = [math.sqrt(x) for x in range(5)]", look: "r", how: "map" },
  { name: "nested attributes", setup: "import types\nbox = types.SimpleNamespace(inner=types.SimpleNamespace(n=3))", cell: "r = [box.inner.n + x for x in range(3)]", look: "r", how: "map" },
  { name: "a generator function as inputs", setup: F + "\ndef numbers():\n    for i in range(5): yield i", cell: "r = [f(x) for x in numbers()]", look: "r", how: "map" },
  { name: "no input at all", setup: F, cell: "r = [f(x) for x in []]", look: "r", how: "map" },
  { name: "a set", setup: F, cell: "r = {f(x) % 20 for x in xs}", look: "sorted(r), type(r)", how: "map" },
  { name: "a dict by its keys", setup: F, cell: "r = {x: f(x) for x in xs}", look: "r", how: "map" },
  { name: "a dict with keys of a call", setup: F, cell: "r = {str(x): f(x) for x in xs}", look: "r", how: "map" },
  { name: "list(map)", setup: F, cell: "r = list(map(f, xs))", look: "r", how: "map" },
  { name: "map with a lambda", setup: F, cell: "list(map(lambda x: f(x) - 1, xs))", how: "map" },
  { name: "map over several iterables", setup: F, cell: "r = list(map(f, xs, ys))", look: "r", how: "map" },
  { name: "map with a class", setup: F, cell: "r = tuple(map(str, xs))", look: "r", how: "map" },
  { name: "map with a partial", setup: F + "\nfrom functools import partial", cell: "r = list(map(partial(f, y=2), xs))", look: "r", how: "map" },
  { name: "sum of a generator", setup: F, cell: "sum(f(x) for x in xs)", how: "map" },
  { name: "sorted with a key", setup: F, cell: "r = sorted((f(x) for x in xs), key=lambda v: -v)", look: "r", how: "map" },
  { name: "max of a list", setup: F, cell: "max([f(x) for x in xs])", how: "map" },
  { name: "joined", setup: F, cell: "', '.join(str(f(x)) for x in xs)", how: "map" },
  { name: "a dict of a generator", setup: F, cell: "r = dict((x, f(x)) for x in xs)", look: "r", how: "map" },
  { name: "a tuple as target of the assignment", setup: F, cell: "a, *b = [f(x) for x in xs]", look: "a, b", how: "map" },
  { name: "several targets", setup: F, cell: "a = b = [f(x) for x in xs]", look: "a, a is b", how: "map" },
  { name: "an attribute as target", setup: F + "\nimport types\nbox = types.SimpleNamespace()", cell: "box.r = [f(x) for x in xs]", look: "box.r", how: "map" },
  { name: "a subscript as target", setup: F + "\nd = {}", cell: "d['r'] = [f(x) for x in xs]", look: "d", how: "map" },
  { name: "annotated", setup: F, cell: "r: list[int] = [f(x) for x in xs]", look: "r, __annotations__['r']", how: "map" },
  { name: "augmented", setup: F + "\nr = [0]", cell: "r += [f(x) for x in xs]", look: "r", how: "map" },
  { name: "a := around it", setup: F, cell: "(r := [f(x) for x in xs])", look: "r", how: "map" },
  { name: "a semicolon shows nothing", setup: F, cell: "[f(x) for x in xs];", how: "map" },
  { name: "an await in it", setup: F + "\nimport asyncio\nasync def g(x):\n    await asyncio.sleep(0)\n    return f(x)", cell: "r = [await g(x) for x in xs]", look: "r", how: "map" },
  { name: "gather", setup: F + "\nimport asyncio\nasync def g(x):\n    await asyncio.sleep(0)\n    return f(x)", cell: "r = await asyncio.gather(*[g(x) for x in xs])", look: "r", how: "map" },
  { name: "gather of a map", setup: F + "\nimport asyncio\nasync def g(x):\n    return f(x)", cell: "await asyncio.gather(*map(g, xs))", how: "map" },
  { name: "async for", setup: F + "\nasync def numbers():\n    for i in range(4): yield i", cell: "r = [f(x) async for x in numbers()]", look: "r", how: "map" },
  { name: "an exception", setup: F, cell: "r = [1 // x for x in [1, 0, 2]]", how: "map" },
  { name: "an exception of one's own", setup: "class Odd(Exception):\n    def __init__(self, x): super().__init__(f'odd {x}'); self.x = x\ndef even(x):\n    if x % 2: raise Odd(x)\n    return x", cell: "r = [even(x) for x in [2, 3, 5]]", how: "map" },
  { name: "a data frame", setup: "import pandas as pd\ndef row(x): return {'x': x, 'y': x * x}", cell: "df = pd.DataFrame([row(x) for x in range(4)])\n", look: "df.to_dict()", how: "map" },
  // What runs as one call
  { name: "a loop", setup: F, cell: "total = 0\nrows = []\nfor x in xs:\n    total += f(x)\n    rows.append(total)", look: "total, rows, x", how: "call" },
  { name: "a value at the end", setup: F, cell: "z = f(2)\nz + 1", look: "z", how: "call" },
  { name: "a call", setup: F, cell: "f(4)", how: "call" },
  { name: "a list that is changed", setup: F + "\nr = []", cell: "for x in xs: r.append(f(x))", look: "r", how: "call" },
  { name: "a dict that is changed", setup: F + "\nd = {}", cell: "for x in xs:\n    d[x] = f(x)", look: "d", how: "call" },
  { name: "a name that is deleted", setup: F, cell: "z = 1\ny2 = z + 1\ndel z, k", look: "y2, 'z' in globals(), 'k' in globals()", how: "call" },
  { name: "a function defined in the middle", setup: "n = 1", cell: "n = 2\ndef g(a, b=n): return a + b + n\nm = g(1)", look: "m, g(1), g.__globals__ is globals()", how: "call" },
  { name: "a class defined in the middle", setup: "n = 1", cell: "n = 2\nclass P:\n    w = n\np = P()", look: "p.w, type(p) is P", how: "call" },
  { name: "an annotation within a block", setup: "n = 3", cell: "if n > 2:\n    m: int = n * 2", look: "m", how: "call" },
  { name: "with, except, import in the middle", setup: "n = 0", cell: "try:\n    1 // n\nexcept ZeroDivisionError as problem:\n    import json as j\n    text = j.dumps(str(problem))", look: "text, 'problem' in globals(), j.__name__", how: "call" },
  { name: "an await at the top level", setup: "import asyncio", cell: "r = 0\nfor i in range(3):\n    await asyncio.sleep(0)\n    r += i\nr", look: "r", how: "call" },
  { name: "a := in an element", setup: F, cell: "r = [last := f(x) for x in xs]", look: "r, last", how: "call" },
  { name: "a list of its own name", setup: F + "\nlist = lambda it: sum(it)", cell: "r = list(map(f, xs))", look: "r", how: "call" },
  { name: "two maps", setup: F, cell: "a, b = [f(x) for x in xs], [f(y) for y in ys]", look: "a, b", how: "call" },
  { name: "any", setup: F, cell: "any(f(x) > 15 for x in xs)", how: "call" },
  { name: "shared values stay shared", setup: F, cell: "a = [1]\nb = a\nf(1)", look: "a is b", how: "call" },
  { name: "an exception in the middle", setup: F, cell: "z = f(2)\nz // 0", how: "call" },
];
