"""Cells made by chance, run as they are and rewritten: values, names and errors must be the same.

The cluster is a round trip through pickle for each call, so that a function never sees what another call has done.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import pathlib
import random
import sys
import unittest
from typing import Any, Iterator

import cloudpickle

sys.path[:0] = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parents[3] / "protocol/python")]

from burla_kernel.keep import Keeper  # noqa: E402
from burla_kernel.maps import RUN  # noqa: E402
from burla_kernel.order import Order  # noqa: E402
from burla_kernel.rewrite import rewrite  # noqa: E402
from burla_kernel.run import Run  # noqa: E402

SEED = int(os.environ.get("BURLA_FUZZ_SEED", "1"))
RUNS = int(os.environ.get("BURLA_FUZZ_RUNS", "400"))

_HALF: dict[str, Any] = {"__name__": "__burla_worker_half__"}
exec((pathlib.Path(__file__).parents[1] / "burla_kernel/worker_half.py").read_text(), _HALF)

SESSION = """
xs = [3, 1, 2]
ys = (5, 6)
zs = []
rows = [{"a": 1}, {"a": 2}]
d = {"p": 1, "q": 2}
k = 10
total = 0
log = []
rng = __import__("random").Random(5)
class Model:
    def __init__(self, w): self.w = w
    def score(self, x): return self.w * x
    def learn(self, x):
        self.w += x
        return self
model = Model(2)
def f(x, y=0): return x * k + y
def g(x): return [f(x), x]
def odd(x):
    if x % 2: raise ValueError(x)
    return x
def put(row):
    row["b"] = f(row["a"])
    return row
def note(x):
    log.append(x)
    return x
def count(x):
    global total
    total += x
    return total
def draw(x): return round(rng.random(), 6) + x
def teach(m, x): return m.learn(x).w
"""

_ELEMENTS = [
    "f(x)", "f(x, k)", "g(x)", "f(x) + 1", "model.score(x)", "x", "x + 1", "str(x)", "(x, f(x))", "[f(y) for y in ys]", "f(x) if x > 1 else g(x)",
    "odd(x)", "note(x)", "count(x)", "draw(x)", "teach(model, x)", "model.learn(x).w", "zs.append(f(x))", "log", "f(total)", "{'v': f(x)}", "len(log) + f(x)",
]
_SOURCES = ["xs", "ys", "list(zs)", "range(4)", "sorted(xs)", "(x for x in xs if x > 1)", "[f(y) for y in ys]", "list(d.values())", "iter(list(xs))", "[x for x in zs]"]
_LOOKS = ["xs[:2]", "len(log)", "total", "f(2)", "print(total)", "sum(zs, 0) if all(isinstance(z, int) for z in zs) else 0", "d", "model.w"]


def _element(chance: random.Random) -> str:
    return chance.choice(_ELEMENTS)


def _map(chance: random.Random) -> str:
    element, source = _element(chance), chance.choice(_SOURCES)
    condition = chance.choice(["", "", " if x > 1", " if f(x) > 15"])
    return chance.choice([
        f"[{element} for x in {source}{condition}]", f"list(map(f, {source}))", f"list({element} for x in {source})", f"[({element}) for x in {source} for y in ys]",
        f"dict(zip({source}, map(f, {source})))", f"sum(f(x) for x in {source}{condition})", f"{{x: {element} for x in {source}}}", f"tuple([{element} for x in {source}])",
        f"[{element} for i, x in enumerate({source})]", f"sorted(map(str, map(f, {source})))", f"any(f(x) > 15 for x in {source})", f"max([f(x) for x in {source}] + [0])",
    ])


def _body(chance: random.Random, depth: int = 0) -> list[str]:
    lines: list[str] = []
    for _ in range(chance.randint(1, 3)):
        element = _element(chance)
        lines += chance.choice([
            [f"v = {element}"], [f"zs.append({element})"], [f"d[x] = {element}"], ["total += x"], ["w = f(x)", "zs.append(w)"], [f"log.extend([{element}])"],
            ["if x == 1:", "    continue"], ["if x > 1:", f"    u = {element}", "    zs.append(u)"], ["if x == 2:", "    break"],
            ["try:", "    t = odd(x)", "except ValueError as problem:", "    t = -1", "zs.append(t)"], ["k = k + 1"], [f"for y in ys:", f"    zs.append(f(x, y))"],
            ["zs.append(len(zs))"], ["d.setdefault(x, f(x))"], ["rows[0]['c'] = f(x)"], ["model.learn(x)"], ["print(x)"], ["total += f(total)"],
        ])
    return lines


def _statement(chance: random.Random) -> list[str]:
    kind = chance.random()
    if kind < 0.45:
        return [f"{chance.choice(['r', 's', 'xs', 'd['+repr('m')+']'])} = {_map(chance)}"]
    if kind < 0.75:
        return [f"for x in {chance.choice(_SOURCES)}:", *("    " + line for line in _body(chance))]
    if kind < 0.85:
        return [f"if total < {chance.randint(0, 5)}:", f"    r = {_map(chance)}", "else:", f"    s = {_map(chance)}"]
    if kind < 0.92:
        return ["out = [put(r) for r in rows]"] if chance.random() < 0.5 else ["for n in range(2):", f"    r = {_map(chance)}", "    total = total + len(str(r))"]
    return [chance.choice(_LOOKS)]


def _cell(chance: random.Random) -> str:
    return "\n".join(line for _ in range(chance.randint(1, 4)) for line in _statement(chance))


class _Entry:
    def __init__(self, index: int, value: Any, reason: Any) -> None:
        self.index, self.value, self.reason = index, value, reason
        self.status = "fulfilled" if reason is None else "rejected"


class _Results:
    job_id = "job"

    def __init__(self, function: Any, inputs: Any) -> None:
        self._function, self._inputs = cloudpickle.dumps(function), inputs

    def settled(self) -> Iterator[_Entry]:
        for index, value in enumerate(self._inputs):
            try:
                made = cloudpickle.loads(self._function)(cloudpickle.loads(cloudpickle.dumps(value)))
                yield _Entry(index, cloudpickle.loads(cloudpickle.dumps(made)), None)
            except Exception as error:
                yield _Entry(index, None, error)

    def cancel(self) -> None:
        pass


class _Client:
    def remote_parallel_map(self, function: Any, inputs: Any, **_options: Any) -> _Results:
        return _Results(function, inputs)


def run_cell(cell: str, *, rewritten: bool) -> tuple[Any, str]:
    """What a user has from it, and how it ran."""
    space: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        _execute(SESSION, space, "<session>")
        tree, how = ast.parse(cell, "<cell>"), ""
        if rewritten:
            made = rewrite(tree, space)
            tree, how = made.tree, made.how
            order = Order("cell", None, "local", None, None, 0)
            space[RUN] = Run(order, made, _Client(), Keeper(), lambda *_shown: None, space, _HALF)
        error = None
        try:
            exec(compile(tree, "<cell>", "exec"), space)
        except Exception as raised:
            error = (type(raised).__name__, str(raised))
    names = {name: _shown(value) for name, value in sorted(space.items()) if not name.startswith(("_", "<")) and not callable(value) and name not in ("rng", "problem")}
    names["rng"] = str(space["rng"].random())
    return (error, names), how


def _execute(text: str, space: dict[str, Any], file: str) -> None:
    import linecache

    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    exec(compile(text, file, "exec"), space)


def _shown(value: Any) -> str:
    return f"Model({value.w})" if type(value).__name__ == "Model" else "iterator" if hasattr(value, "__next__") else repr(value)


class RewriteTest(unittest.TestCase):
    def test_cells_of_chance_mean_the_same(self) -> None:
        ways: dict[str, int] = {}
        for number in range(RUNS):
            seed = SEED * 1_000_003 + number
            cell = _cell(random.Random(seed))
            here, _ = run_cell(cell, rewritten=False)
            there, how = run_cell(cell, rewritten=True)
            ways[how] = ways.get(how, 0) + 1
            if here[0] is not None and how == "call":
                # Of a cell that fails as one call, nothing is bound.
                here, there = (here[0], None), (there[0], None)
            elif here[0] is not None:
                # A failing map has run all of its inputs; what other statements have done is the same.
                here, there = (here[0], None), (there[0], None)
            with self.subTest(seed=seed):
                self.assertEqual(there, here, f"\n{cell}\n(as {how})")
        self.assertGreater(min(ways.get("map", 0), ways.get("call", 0)), RUNS // 20, f"all ways are taken: {ways}")


if __name__ == "__main__":
    unittest.main()
