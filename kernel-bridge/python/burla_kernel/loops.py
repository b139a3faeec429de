"""Loops that only collect: `for x in xs: rows.append(f(x))`. Each turn becomes an input of a map; what it collects is put in its place here.

A turn may have variables of its own, conditions, `continue`, inner loops. It may not look at what earlier turns have left.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import Iterable, Optional, Sequence, Union

from . import names as scopes
from .effects import why_in_one_place
from .meaning import UNKNOWN, Meaning, root_of
from .tracebacks import CELL
from .work import Worth, draws

#: What is collected by a method call.
_COLLECTING = {"append", "extend", "add", "update", "insert", "appendleft"}
_INPUT, _OUT, _ONCE = "__burla_input__", "__burla_out__", "__burla_once__"


class CarriesState(Exception):
    """The reason why a loop has to run in one place."""


@dataclass(frozen=True)
class Loop:
    targets: list[str]
    generators: list[ast.comprehension]
    #: The turn as a function.
    turn: ast.stmt
    #: What is done here for each thing collected: `{kind}` is its place in this list, its values in a tuple.
    replay: list[ast.stmt]
    #: Names that each turn assigns in any case, and those that it may assign.
    definite: list[str]
    possible: list[str]
    is_work: bool


def as_loop(loop: ast.For, meaning: Meaning) -> Loop:
    """Raises CarriesState."""
    generators, body = _flattened(loop, meaning)
    targets = list(dict.fromkeys(name for generator in generators for name in scopes.stored(generator.target)))
    _refuse_jumps(loop, body)
    assigned = scopes.names_of(body)
    plain = _plainly_assigned(body)
    if assigned.deleted or any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Global)) for part in body for node in ast.walk(part)):
        raise CarriesState("it defines or deletes names")
    collector = _Collector(meaning, {*targets, *plain})
    turn_body = [collector.visit(copy.deepcopy(statement)) for statement in body]
    if not collector.replay:
        raise CarriesState(_for_nothing(body))
    own = {*targets, *plain}
    _refuse_reading(collector, turn_body, generators, targets)
    flow = _Flow(own - set(targets))
    definite = flow.block(turn_body, set())
    _refuse_functions_that_read(turn_body, own, meaning)
    reason = why_in_one_place(turn_body, targets, meaning)
    if reason is not None:
        raise CarriesState(reason)
    possible = sorted(own - set(targets))
    within = Worth(meaning, own)
    return Loop(
        targets, generators, _turn(targets, turn_body, loop), collector.replay,
        [name for name in possible if name in definite], [name for name in possible if name not in definite],
        any(within.is_work(part) for part in turn_body),
    )


def _flattened(loop: ast.For, meaning: Meaning) -> tuple[list[ast.comprehension], list[ast.stmt]]:
    """`for a in xs: for b in ys: …` goes over pairs, where the inner one only reads what it goes over."""
    generators: list[ast.comprehension] = []
    at: ast.stmt = loop
    while True:
        assert isinstance(at, ast.For)
        _refuse_head(at)
        generators.append(ast.comprehension(at.target, at.iter, [], 0))
        bound = {name for generator in generators for name in scopes.stored(generator.target)}
        inner = at.body[0]
        if len(at.body) > 1 or not isinstance(inner, ast.For) or inner.orelse or Worth(meaning, bound).is_work(inner.iter):
            return generators, at.body
        at = inner


def _plainly_assigned(body: Sequence[ast.stmt]) -> set[str]:
    """Names that get a value by more than `+=`."""
    added = {id(node.target) for part in body for node in ast.walk(part) if isinstance(node, ast.AugAssign)}
    names = scopes.names_of(body).bound
    only_added = {node.id for part in body for node in scopes.own_nodes(part) if isinstance(node, ast.Name) and id(node) in added}
    stored = {node.id for part in body for node in scopes.own_nodes(part) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in added}
    return names - (only_added - stored)


def _refuse_head(loop: ast.For) -> None:
    if loop.orelse:
        raise CarriesState("it has an `else`")
    if any(isinstance(node, (ast.Attribute, ast.Subscript)) for node in ast.walk(loop.target)):
        raise CarriesState(f"it goes through `{ast.unparse(loop.target)}`")


def _refuse_jumps(loop: ast.For, body: Sequence[ast.stmt]) -> None:
    for statement in body:
        for node in _of_this_loop(statement):
            if isinstance(node, ast.Break):
                raise CarriesState("it may end early, by `break`")
        for node in scopes.own_nodes(statement):
            if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Return)):
                raise CarriesState("it gives values to whoever runs it")


def _of_this_loop(node: ast.AST) -> Iterable[ast.AST]:
    """Its parts, without inner loops: a `break` in those is theirs."""
    yield node
    if not isinstance(node, (ast.For, ast.While, ast.AsyncFor, ast.FunctionDef, ast.Lambda)):
        for part in ast.iter_child_nodes(node):
            yield from _of_this_loop(part)


def _for_nothing(body: Sequence[ast.stmt]) -> str:
    calls = [statement.value for statement in body if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)]
    return f"`{ast.unparse(calls[0].func)}` is called for what it does" if calls else "it collects nothing"


class _Collector(ast.NodeTransformer):
    """Takes out what a turn does to the session: the values go to a list of the turn's own, and the statement to `replay`."""

    def __init__(self, meaning: Meaning, own: set[str]) -> None:
        self._meaning = meaning
        self._own = own
        self.names: set[str] = set()
        self.replay: list[ast.stmt] = []
        #: Statements by which something is put under a key, with the names in the key.
        self.by_key: dict[str, set[str]] = {}

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _COLLECTING and self._is_ours(call.func.value):
            if call.keywords or any(isinstance(argument, ast.Starred) for argument in call.args):
                raise CarriesState(f"`{ast.unparse(call)}` is more than a value")
            return self._collected(node, call.func.value, call.args)
        self._refuse_effect(call)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, (ast.Subscript, ast.Attribute)) and self._is_ours(target):
            return self._collected(node, target, [node.value])
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        target = node.target
        if isinstance(target, ast.Name):
            # `total += f(x)`: the sum is made here, in order.
            return node if target.id in self._own else self._collected(node, target, [node.value])
        return self._collected(node, target, [node.value]) if self._is_ours(target) else node

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_Lambda = visit_FunctionDef = _leave

    def _is_ours(self, node: ast.expr) -> bool:
        root = root_of(node)
        return root is not None and root not in self._own

    def _refuse_effect(self, call: ast.expr) -> None:
        if not isinstance(call, ast.Call):
            return
        if draws(call.func, self._meaning):
            raise CarriesState(f"it draws, by `{ast.unparse(call.func)}`")
        if not isinstance(call.func, ast.Attribute) or not self._is_ours(call.func):
            return
        if self._meaning.value(call.func) is UNKNOWN:
            raise CarriesState(f"it calls `{ast.unparse(call.func)}`")

    def _collected(self, statement: ast.stmt, path: ast.expr, values: Sequence[ast.expr]) -> ast.stmt:
        """`out.append((kind, (values,)))` in its place; `rows.append(values[0])` here."""
        root = root_of(path)
        assert root is not None
        self.names.add(root)
        here = copy.deepcopy(statement)
        moved = _Moved()
        _move(here, moved)
        if isinstance(path, ast.Subscript) and not isinstance(statement, ast.Expr):
            self.by_key.setdefault(root, set()).update(scopes.loaded(path.slice))
        else:
            self.by_key.setdefault(root, set()).add("")
        kind = len(self.replay)
        self.replay.append(here)
        item = ast.Tuple([ast.Constant(kind), ast.Tuple(moved.values, ast.Load())], ast.Load())
        append = ast.Call(ast.Attribute(ast.Name(_OUT, ast.Load()), "append", ast.Load()), [item], [])
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(append), statement))


class _Moved:
    """Expressions that are evaluated by the turn, in the order of evaluation; here they are read by their place."""

    def __init__(self) -> None:
        self.values: list[ast.expr] = []

    def take(self, value: ast.expr) -> ast.expr:
        if isinstance(value, ast.Constant):
            return value
        self.values.append(value)
        at = ast.Constant(len(self.values) - 1)
        return ast.copy_location(ast.Subscript(ast.Name("__burla_values__", ast.Load()), at, ast.Load()), value)


def _move(statement: ast.stmt, moved: _Moved) -> None:
    if isinstance(statement, ast.Expr):
        call = statement.value
        assert isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        _move_keys(call.func.value, moved)
        call.args = [moved.take(argument) for argument in call.args]
    elif isinstance(statement, ast.Assign):
        # The value comes before the keys, as ever.
        statement.value = moved.take(statement.value)
        _move_keys(statement.targets[0], moved)
    elif isinstance(statement, ast.AugAssign):
        _move_keys(statement.target, moved)
        statement.value = moved.take(statement.value)
    ast.fix_missing_locations(statement)


def _move_keys(path: ast.expr, moved: _Moved) -> None:
    if isinstance(path, (ast.Subscript, ast.Attribute)):
        _move_keys(path.value, moved)
    if isinstance(path, ast.Subscript):
        if any(isinstance(node, ast.Slice) for node in ast.walk(path.slice)):
            raise CarriesState(f"it writes into a part of `{root_of(path)}`")
        path.slice = moved.take(path.slice)


def _refuse_reading(collector: _Collector, turn: Sequence[ast.stmt], generators: Sequence[ast.comprehension], targets: Sequence[str]) -> None:
    read = set().union(*(scopes.loaded(statement) for statement in turn))
    for name in sorted(collector.names & read):
        raise CarriesState(f"it looks at `{name}`, which earlier turns have changed")
    gone_over = set().union(*(scopes.loaded(generator.iter) for generator in generators))
    for name in sorted(collector.names & gone_over):
        # `xs[i] = f(x)` while going over `xs` changes only what was already read.
        keys = collector.by_key.get(name, {""})
        if "" in keys or not keys & set(targets):
            raise CarriesState(f"it changes `{name}`, which it goes over")


def _refuse_functions_that_read(turn: Sequence[ast.stmt], own: set[str], meaning: Meaning) -> None:
    """What a turn assigns is a variable of its function there; a function of the session would not see it."""
    for statement in turn:
        for node in ast.walk(statement):
            called = meaning.function(node.func) if isinstance(node, ast.Call) and not isinstance(node.func, ast.Lambda) else None
            if called is None:
                continue
            parameters = {part.arg for part in ast.walk(called.args) if isinstance(part, ast.arg)}
            stored = {part.id for part in ast.walk(called) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
            for name in sorted((scopes.loaded(called) & own) - parameters - stored):
                raise CarriesState(f"`{ast.unparse(node.func)}` looks at `{name}`, which the loop assigns")


class _Flow:
    """Which names a turn has given a value for certain; a read of another one is a read of what an earlier turn has left."""

    def __init__(self, own: set[str]) -> None:
        self._own = own

    def block(self, statements: Sequence[ast.stmt], known: set[str]) -> set[str]:
        for statement in statements:
            known = self._statement(statement, known)
        return known

    def _read(self, node: Optional[ast.AST], known: set[str]) -> set[str]:
        if node is None:
            return known
        inner = {name for part in ast.walk(node) if isinstance(part, (ast.comprehension, ast.Lambda)) for name in _bound_within(part)}
        for name in sorted(scopes.loaded(node) & self._own - known - inner):
            raise CarriesState(f"`{name}` goes from turn to turn")
        return known | set(scopes.walrus_names(node))

    def _statement(self, node: ast.stmt, known: set[str]) -> set[str]:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets: Sequence[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
            known = self._read(node.value, known)
            for target in targets:
                known = self._targets(target, known)
            return known if node.value is not None else known
        if isinstance(node, ast.AugAssign):
            return self._read(node.value, self._read(_as_read(node.target), known))
        if isinstance(node, ast.If):
            known = self._read(node.test, known)
            return self._joined([self._branch(node.body, known), self._branch(node.orelse, known)], known)
        if isinstance(node, (ast.For, ast.AsyncFor)):
            known = self._read(node.iter, known)
            self.block(node.body, self._targets(node.target, set(known)))
            self.block(node.orelse, set(known))
            return known
        if isinstance(node, ast.While):
            known = self._read(node.test, known)
            self.block(node.body, set(known))
            return known
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                known = self._read(item.context_expr, known)
                known = known if item.optional_vars is None else self._targets(item.optional_vars, known)
            return self.block(node.body, known)
        if isinstance(node, ast.Try):
            return self._try(node, known)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return known | scopes.names_of([node]).bound
        if type(node).__name__ in ("Match", "TryStar"):
            raise CarriesState(f"it has a `{type(node).__name__.lower()}`")
        return self._read(node, known)

    def _try(self, node: ast.Try, known: set[str]) -> set[str]:
        ends = [self._branch([*node.body, *node.orelse], known)]
        for handler in node.handlers:
            # What it has assigned before it failed is not known.
            ends.append(self._branch(handler.body, known | ({handler.name} if handler.name else set())))
        return self.block(node.finalbody, self._joined(ends, known))

    def _branch(self, body: Sequence[ast.stmt], known: set[str]) -> Optional[set[str]]:
        """None where it leaves the turn, so that what follows does not come after it."""
        after = self.block(body, set(known))
        return None if body and isinstance(body[-1], (ast.Continue, ast.Raise)) else after

    def _joined(self, ends: Sequence[Optional[set[str]]], known: set[str]) -> set[str]:
        there = [end for end in ends if end is not None]
        return set.intersection(*there) if there else known

    def _targets(self, target: ast.expr, known: set[str]) -> set[str]:
        for part in ast.walk(target):
            if isinstance(part, (ast.Attribute, ast.Subscript)):
                known = self._read(part.value, known)
                known = self._read(part.slice, known) if isinstance(part, ast.Subscript) else known
        return known | {part.id for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def _bound_within(node: Union[ast.comprehension, ast.Lambda]) -> list[str]:
    return scopes.stored(node.target) if isinstance(node, ast.comprehension) else [part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)]


def _as_read(target: ast.expr) -> ast.expr:
    return ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else target


def _turn(targets: Sequence[str], body: Sequence[ast.stmt], at: ast.stmt) -> ast.stmt:
    """`continue` ends the turn: its body is in a loop that turns once."""
    given = ast.Tuple([ast.Name(name, ast.Store()) for name in targets], ast.Store())
    statements: list[ast.stmt] = [
        ast.Assign([given], ast.Name(_INPUT, ast.Load())),
        ast.Assign([ast.Name(_OUT, ast.Store())], ast.List([], ast.Load())),
        ast.For(ast.Name(_ONCE, ast.Store()), ast.Tuple([ast.Constant(0)], ast.Load()), list(body), []),
        ast.Return(ast.Tuple([ast.Name(_OUT, ast.Load()), ast.Call(ast.Name("locals", ast.Load()), [], [])], ast.Load())),
    ]
    made = (ast.AsyncFunctionDef if any(map(scopes.has_await, body)) else ast.FunctionDef)(CELL, ast.arguments([], [ast.arg(_INPUT)], None, [], [], None, []), statements, [], None)
    if "type_params" in made._fields:
        made.type_params = []  # type: ignore[attr-defined]
    return ast.fix_missing_locations(ast.copy_location(made, at))
