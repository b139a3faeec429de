"""Puts a call of the run in the place of each map of a cell."""

from __future__ import annotations

import ast
from typing import Optional, Sequence

from . import names as scopes
from .effects import draws_random, seeds_random, why_in_one_place
from .local_only import Refusal
from .loops import CarriesState, Loop, as_loop
from .magics import clocked
from .meaning import Meaning
from .module_level import mention, named_in_texts
from .sites import Site, SiteReplacer
from .spread import POOLS, is_parallel, spread_function
from .tracebacks import CELL, element_name
from .work import Worth, draws, hands_on

#: The one name that the rewritten cell reads: the run, whose methods call the cluster.
RUN = "__burla__"
_INPUT = "__burla_input__"
_KIND, _VALUES = "__burla_kind__", "__burla_values__"


class Maps:
    """`with_weak`: also those whose elements are no work for a cluster."""

    def __init__(self, meaning: Meaning, *, with_weak: bool) -> None:
        self._meaning = meaning
        self._with_weak = with_weak
        self._replacer = SiteReplacer(meaning, self._site, self._call)
        #: Functions of elements, to be defined before the statement that is being rewritten.
        self._before: list[ast.stmt] = []
        self._elements = 0
        self._seeded_line: Optional[int] = None
        #: Line of each statement with a map, and what is called there.
        self.taken: list[tuple[int, str]] = []
        #: Line and reason of what would be work for many, and must stay in one place.
        self.refused: list[tuple[int, str]] = []
        self.weak = self.weak_loops = 0

    def rewritten(self, tree: ast.Module) -> ast.Module:
        seeds = [statement.lineno for statement in tree.body if seeds_random(statement)]
        self._seeded_line = seeds[0] if seeds else None
        tree.body = self._block(tree.body)
        return ast.fix_missing_locations(tree)

    # --- statements

    def _block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in statements:
            rewritten = self._statement(statement)
            made += clocked(statement, statement, [*self._before, *rewritten], run_call)
            self._before = []
        return made

    def _statement(self, statement: ast.stmt) -> list[ast.stmt]:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return [statement]
        if isinstance(statement, ast.For):
            return self._for(statement)
        if isinstance(statement, (ast.If, ast.While)):
            statement.test = self._replacer.expression(statement.test)
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            for item in statement.items:
                item.context_expr = self._replacer.expression(item.context_expr)
        elif isinstance(statement, ast.AsyncFor):
            pass
        elif not hasattr(statement, "body"):
            return [_with_names(self._replacer.visit(statement))]
        if isinstance(statement, ast.While) and not self.taken and Worth(self._meaning).is_work(statement):
            self.refused.append((statement.lineno, "each turn of the loop begins with what the one before has left"))
        return self._with_bodies(statement)

    def _with_bodies(self, statement: ast.stmt) -> list[ast.stmt]:
        before, self._before = self._before, []
        for name in ("body", "orelse", "finalbody"):
            if isinstance(getattr(statement, name, None), list):
                setattr(statement, name, self._block(getattr(statement, name)))
        for part in getattr(statement, "handlers", ()):
            seen = ast.copy_location(ast.Expr(run_call("seen", part)), part)
            part.body = [seen, *self._block(part.body)]
        for part in getattr(statement, "cases", ()):
            part.body = self._block(part.body)
        self._before = before
        return [statement]

    def _for(self, statement: ast.For) -> list[ast.stmt]:
        try:
            loop = as_loop(statement, self._meaning)
            reason = self._why_seeded([loop.turn])
            if reason is not None:
                raise CarriesState(reason)
        except CarriesState as carries:
            # What is within it is not refused a second time.
            refused = [*self.refused, (statement.lineno, str(carries))] if Worth(self._meaning).is_work(statement) else self.refused
            is_whole = not any(isinstance(node, (ast.Break, ast.Return)) for node in ast.walk(statement))
            statement.iter = self._replacer.consumed(statement.iter) if is_whole else self._replacer.expression(statement.iter)
            made = self._with_bodies(statement)
            self.refused = refused
            return made
        if loop.is_work or self._with_weak:
            return self._loop(statement, loop)
        self.weak_loops += 1
        return [statement]

    def _loop(self, statement: ast.For, loop: Loop) -> list[ast.stmt]:
        name = f"for {ast.unparse(statement.target)} in {ast.unparse(statement.iter)}"
        self.taken.append((statement.lineno, name))
        given = ast.Tuple([ast.Name(target, ast.Load()) for target in loop.targets], ast.Load())
        inputs = self._inputs(statement, given, loop.generators)
        lists = [ast.Constant(tuple(names)) for names in (loop.targets, loop.definite, loop.possible)]
        source = run_call("loop", statement, ast.Name(CELL, ast.Load()), inputs, *lists, *_for_people(name, statement))
        body: list[ast.stmt] = []
        for kind, replay in reversed(list(enumerate(loop.replay))):
            test = ast.Compare(ast.Name(_KIND, ast.Load()), [ast.Eq()], [ast.Constant(kind)])
            body = [ast.copy_location(ast.If(test, [replay], body), replay)]
        target = ast.Tuple([ast.Name(_KIND, ast.Store()), ast.Name(_VALUES, ast.Store())], ast.Store())
        return [loop.turn, ast.copy_location(ast.For(target, source, body, []), statement)]

    # --- expressions

    def _site(self, site: Site, whole: ast.expr) -> Optional[ast.expr]:
        parts, inputs = _evaluated(site), _bound_by(site)
        is_awaited = isinstance(whole, ast.Await)
        if not (is_awaited or self._is_work(site, parts, inputs)):
            self.weak += 1
            if not self._with_weak:
                return None
        called = _called(site)
        if not is_awaited and isinstance(called, ast.Name) and self._meaning.is_async(called.id):
            raise Refusal(
                f"Line {called.lineno}: `{called.id}` is async, so that here each result is a coroutine which nobody awaits. "
                f"Write `[await {called.id}(x) for x in inputs]`, or `await asyncio.gather(*[{called.id}(x) for x in inputs])`."
            )
        reason = self._why_not(site, parts, inputs)
        if reason is not None:
            self.refused.append((site.lineno, reason))
            return None
        made, name = self._map_call(site) if isinstance(site, ast.Call) else self._comprehension(site)
        self.taken.append((site.lineno, name))
        return made

    def _is_work(self, site: Site, parts: Sequence[ast.expr], inputs: Sequence[str]) -> bool:
        worth = Worth(self._meaning, inputs)
        if isinstance(site, ast.Call):
            return worth.calls_work(site.args[0])
        return any(map(worth.is_work, parts))

    def _why_not(self, site: Site, parts: Sequence[ast.expr], inputs: Sequence[str]) -> Optional[str]:
        if isinstance(site, ast.Call):
            parts = [_call_of(site.args[0], site)]
        else:
            if any(isinstance(part, (ast.Attribute, ast.Subscript)) for generator in site.generators for part in ast.walk(generator.target)):
                return "it goes through something that is no name of its own"
            names = [name for part in parts for name in scopes.walrus_names(part)]
            if names:
                return f"each element assigns `{names[0]}`"
        if any(isinstance(node, ast.Call) and draws(node.func, self._meaning) for part in parts for node in ast.walk(part)):
            return "it draws"
        if any(isinstance(node, ast.Call) and hands_on(node) for part in parts for node in ast.walk(part)):
            return "somebody else has its work"
        return why_in_one_place(parts, [*inputs, _INPUT], self._meaning) or self._why_seeded(parts)

    def _why_seeded(self, parts: Sequence[ast.AST]) -> Optional[str]:
        if self._seeded_line is None or not draws_random(parts, self._meaning):
            return None
        return f"it takes random numbers in turn, after the seed of line {self._seeded_line}"

    def _map_call(self, site: ast.Call) -> tuple[ast.expr, str]:
        called, *iterables = site.args
        inputs = iterables[0] if len(iterables) == 1 else ast.Tuple(iterables, ast.Load())
        shape = "list" if len(iterables) == 1 else "zip"
        name = _label(called)
        return run_call("map", site, called, inputs, ast.Constant(shape), *_for_people(name, site)), name

    def _comprehension(self, site: Site) -> tuple[ast.expr, str]:
        assert not isinstance(site, ast.Call)
        generators = site.generators
        key = site.key if isinstance(site, ast.DictComp) else None
        value = site.value if isinstance(site, ast.DictComp) else site.elt
        # A key that is only read needs no worker, and stays the very object that it is.
        has_local_key = key is not None and not scopes.has_call(key)
        body = value if key is None or has_local_key else ast.copy_location(ast.Tuple([key, value], ast.Load()), value)
        targets, texts = _targets(generators), named_in_texts([body])
        used = [target for target in targets if target in scopes.loaded(body) | texts]
        element = self._element(element_name(type(site)), body, used, mention(texts - set(targets), self._meaning.namespace, body))
        given: ast.expr = _input(used)
        shape = "list"
        if isinstance(site, ast.SetComp):
            shape = "set"
        elif key is not None:
            shape = "keyed" if has_local_key else "dict"
            given = ast.Tuple([key, given], ast.Load()) if has_local_key else given
        name = _label(value)
        inputs = self._inputs(site, given, generators)
        return run_call("map", site, element, inputs, ast.Constant(shape), *_for_people(name, site)), name

    def _inputs(self, site: ast.AST, given: ast.expr, generators: Sequence[ast.comprehension]) -> ast.expr:
        """Pulled as the cluster needs them; collected first where the cell itself has to await them."""
        parts = [part for generator in generators for part in (generator.iter, *generator.ifs)]
        awaits = any(generator.is_async for generator in generators) or any(scopes.has_await(part) for part in parts)
        first = generators[0]
        # Only this one is evaluated where the map stands; there may be a map in it.
        first.iter = self._replacer.expression(first.iter)
        if len(generators) == 1 and not first.ifs and not awaits:
            # As many inputs as it has elements: so the run can tell how many there will be.
            first.iter = run_call("source", first.iter, first.iter)
        make = ast.ListComp if awaits else ast.GeneratorExp
        return ast.copy_location(make(given, list(generators)), site)

    def _element(self, shown: str, body: ast.expr, used: Sequence[str], before: Sequence[ast.stmt]) -> ast.expr:
        """The element as a function of what the comprehension binds. In tracebacks it is `shown`, with the lines of the cell."""
        parameter = used[0] if len(used) == 1 else _INPUT
        unpack: list[ast.stmt] = []
        if len(used) > 1:
            target = ast.Tuple([ast.Name(name, ast.Store()) for name in used], ast.Store())
            unpack = [ast.copy_location(ast.Assign([target], ast.Name(_INPUT, ast.Load())), body)]
        statements = [*unpack, *before, ast.copy_location(ast.Return(body), body)]
        self._elements += 1
        own = f"<element {self._elements}>"
        alias = ast.Assign([ast.Name(own, ast.Store())], ast.Name(shown, ast.Load()))
        self._before += [function(shown, [parameter], statements, is_async=scopes.has_await(body), at=body), ast.copy_location(alias, body)]
        return ast.Name(own, ast.Load())

    # --- what other libraries map

    def _call(self, call: ast.Call) -> Optional[ast.expr]:
        """`df.apply(f, axis=1)`, `ThreadPoolExecutor(8)`, `Parallel(n_jobs=8)(…)`: what it is shows when it runs."""
        if is_run_call(call):
            return None
        if is_parallel(call, self._meaning):
            self.taken.append((call.lineno, "joblib"))
            return run_call("with_joblib", call, ast.Lambda(ast.arguments([], [], None, [], [], None, []), call))
        if scopes.last_name(call.func) in POOLS:
            name = ast.unparse(call.func)
            self.taken.append((call.lineno, name))
            kept = ast.Call(run_call("pool", call, call.func, *_for_people(name, call)), call.args, call.keywords)
            return ast.copy_location(kept, call)
        spread = spread_function(call, self._meaning)
        return None if spread is None else self._spread(call, spread)

    def _spread(self, call: ast.Call, spread: ast.expr) -> Optional[ast.expr]:
        assert isinstance(call.func, ast.Attribute)
        worth = Worth(self._meaning, [part.arg for part in ast.walk(spread) if isinstance(part, ast.arg)])
        if not worth.calls_work(spread):
            self.weak += 1
            if not self._with_weak:
                return None
        part = _call_of(spread, call)
        reason = why_in_one_place([part], [_INPUT], self._meaning) or self._why_seeded([part])
        if reason is not None:
            self.refused.append((call.lineno, reason))
            return None
        name = _label(spread)
        self.taken.append((call.lineno, name))
        method = run_call("applied", call, call.func.value, ast.Constant(call.func.attr), *_for_people(name, call))
        return ast.copy_location(ast.Call(method, call.args, call.keywords), call)


def _with_names(statement: ast.stmt) -> ast.stmt:
    """A map whose results get a name is told of it: `pages = [f(x) for x in xs]`, `pages = list(map(f, xs))`."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target] if isinstance(statement, ast.AnnAssign) else []
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "list" and len(value.args) == 1:
        value = value.args[0]
    if targets and all(isinstance(target, ast.Name) for target in targets) and isinstance(value, ast.Call) and is_run_call(value, "map"):
        value.args.append(ast.Constant(tuple(target.id for target in targets)))  # type: ignore[union-attr]
    return statement


def _call_of(called: ast.expr, at: ast.AST) -> ast.expr:
    """What `map` does for each input."""
    return ast.fix_missing_locations(ast.copy_location(ast.Call(called, [ast.Name(_INPUT, ast.Load())], []), at))


def _for_people(name: str, at: ast.AST) -> list[ast.expr]:
    return [ast.Constant(name), ast.Constant(getattr(at, "lineno", 1))]


def _evaluated(site: Site) -> list[ast.expr]:
    """What is evaluated for each input."""
    if isinstance(site, ast.Call):
        called = site.args[0]
        return [called.body if isinstance(called, ast.Lambda) else called]
    return [site.key, site.value] if isinstance(site, ast.DictComp) else [site.elt]


def _bound_by(site: Site) -> list[str]:
    if not isinstance(site, ast.Call):
        return _targets(site.generators)
    return [part.arg for part in ast.walk(site.args[0]) if isinstance(part, ast.arg)]


def _called(site: Site) -> Optional[ast.expr]:
    if isinstance(site, ast.Call):
        return site.args[0]
    element = _evaluated(site)[-1]
    return element.func if isinstance(element, ast.Call) else None


def _targets(generators: Sequence[ast.comprehension]) -> list[str]:
    """Names that the comprehension binds, those of `:=` in its conditions too, each once."""
    names: list[str] = []
    for generator in generators:
        names += scopes.stored(generator.target)
        for condition in generator.ifs:
            names += scopes.walrus_names(condition)
    return list(dict.fromkeys(names))


def _input(used: Sequence[str]) -> ast.expr:
    if not used:
        return ast.Constant(None)
    if len(used) == 1:
        return ast.Name(used[0], ast.Load())
    return ast.Tuple([ast.Name(name, ast.Load()) for name in used], ast.Load())


def function(name: str, parameters: Sequence[str], body: list[ast.stmt], *, is_async: bool, at: ast.AST) -> ast.stmt:
    arguments = ast.arguments([], [ast.arg(parameter) for parameter in parameters], None, [], [], None, [])
    made = (ast.AsyncFunctionDef if is_async else ast.FunctionDef)(name, arguments, body, [], None)
    if "type_params" in made._fields:
        made.type_params = []  # type: ignore[attr-defined]
    return ast.copy_location(made, at)


def run_call(method: str, at: ast.AST, *arguments: ast.expr) -> ast.expr:
    call = ast.copy_location(ast.Call(ast.Attribute(ast.Name(RUN, ast.Load()), method, ast.Load()), list(arguments), []), at)
    for node in ast.walk(call.func):
        # On one line, the first: Python says of a method's call that it is where the name of the method ends.
        node.lineno = node.end_lineno = call.lineno  # type: ignore[attr-defined]
        node.col_offset = node.end_col_offset = call.col_offset  # type: ignore[attr-defined]
    return call


def is_run_call(call: ast.Call, method: Optional[str] = None) -> bool:
    """Of that method, or of any."""
    function = call.func
    return isinstance(function, ast.Attribute) and method in (None, function.attr) and isinstance(function.value, ast.Name) and function.value.id == RUN


def _label(called: ast.expr) -> str:
    """`score` for `score(x)`, else the text of the expression."""
    called = called.value if isinstance(called, ast.Await) else called
    text = ast.unparse(called.func if isinstance(called, ast.Call) else called)
    return text if len(text) <= 80 else text[:79] + "…"
