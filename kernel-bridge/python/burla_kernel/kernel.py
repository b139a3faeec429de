"""Waits in an IPython kernel for the one cell that was armed, and rewrites it before it runs."""

from __future__ import annotations

import ast
from typing import Any, Mapping, Optional

from .keep import Keeper
from .local_only import Refusal, is_measured
from .maps import RUN
from .order import Order
from .rewrite import Rewritten, rewrite
from .run import WORKER_FILE, Run
from .screen import publisher


class ArmedCells:
    """One in a kernel. A cell is armed for its next run; others run as they are."""

    def __init__(self, shell: Any, client: Any, worker_half: str) -> None:
        self._shell = shell
        self._client = client
        self._keeper = Keeper()
        self._orders: dict[str, Order] = {}
        # A namespace of no module: its functions travel by value.
        self._worker_half: dict[str, Any] = {"__name__": "__burla_worker_half__"}
        exec(compile(worker_half, WORKER_FILE, "exec"), self._worker_half)
        self._pending: Optional[Order] = None
        self._run: Optional[Run] = None
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)

    def arm(self, message: Mapping[str, Any]) -> None:
        order = Order.read(dict(message))
        self._orders[order.cell_id] = order

    def remove(self) -> None:
        """Another version takes its place."""
        self._shell.events.unregister("pre_run_cell", self._before)
        self._shell.events.unregister("post_run_cell", self._after)

    def _before(self, info: Any = None) -> None:
        order = self._orders.pop(self._cell_id(info) or "", None)
        if order is not None:
            self._pending = order
            self._shell.ast_transformers.append(self)

    def _after(self, _result: Any = None) -> None:
        """Also when the cell was no Python at all."""
        if self in self._shell.ast_transformers:
            self._shell.ast_transformers.remove(self)
        self._pending = None
        run, self._run = self._run, None
        if run is not None:
            run.finish(has_failed=_has_failed(_result))
        for name in [name for name in self._shell.user_ns if name.startswith(("<", "__burla_"))]:
            del self._shell.user_ns[name]

    def visit(self, tree: ast.Module) -> ast.Module:
        """Called by IPython with the tree of a cell."""
        if self._pending is None or is_measured(tree):
            # `%%time` hands in the code that it measures when its turn comes.
            return tree
        order, self._pending = self._pending, None
        try:
            rewritten = rewrite(tree, self._shell.user_ns)
        except Refusal as refusal:
            rewritten = _refused(tree, str(refusal))
        run = self._run = Run(order, rewritten, self._client, self._keeper, publisher(self._shell), self._shell.user_ns, self._worker_half)
        self._shell.user_ns[RUN] = run
        return rewritten.tree

    def _cell_id(self, info: Any) -> Optional[str]:
        own = getattr(info, "cell_id", None)
        return own if own is not None else _metadata(self._shell).get("cellId")


def _has_failed(result: Any) -> bool:
    return result is not None and not getattr(result, "success", True)


def _refused(tree: ast.Module, reason: str) -> Rewritten:
    at = tree.body[-1]
    call = ast.Call(ast.Attribute(ast.Name(RUN, ast.Load()), "refuse", ast.Load()), [ast.Constant(reason)], [])
    tree.body[:] = [ast.copy_location(ast.Expr(call), at)]
    return Rewritten(ast.fix_missing_locations(tree), "call", "cell")


def _metadata(shell: Any) -> Mapping[str, Any]:
    """Of the request that runs now, where IPython does not know of cells."""
    try:
        kernel = shell.kernel
        parent = kernel.get_parent("shell") if hasattr(kernel, "get_parent") else kernel._parent_header
        return parent.get("metadata") or {}
    except Exception:
        return {}
