"""Waits in an IPython kernel for the one cell that was armed, and rewrites it before it runs."""

from __future__ import annotations

import ast
import contextlib
import html
import re
import sys
from typing import Any, Callable, Mapping, Optional

from .keep import Keeper
from .local_only import Refusal, RunsHere
from .magics import RUN_CODE_HERE, Magic, cell_magic, runs_code_here, with_measured
from .maps import RUN
from .order import Order
from .rewrite import Rewritten, rewrite
from .run import WORKER_FILE, Run
from .screen import Publish, publisher
from .tracebacks import only_of_the_user

#: Cell magics whose first line may be another one, so that the lines of the rest are those of the cell.
_PADDED = ("capture",)


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
        self._armed: Optional[_Armed] = None
        #: Cells that run within each other, by magics.
        self._depth = 0
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
        self._depth += 1
        order = self._orders.pop(self._cell_id(info) or "", None)
        if order is not None and self._armed is None:
            self._armed = _Armed(self._shell, order, getattr(info, "raw_cell", None), self._run_of)

    def _after(self, result: Any = None) -> None:
        """Also when the cell was no Python at all."""
        self._depth = max(0, self._depth - 1)
        if self._armed is None:
            return
        self._armed.hear_end(result)
        if self._depth > 0:
            return
        armed, self._armed = self._armed, None
        armed.end()
        for name in [name for name in self._shell.user_ns if name.startswith(("<", "__burla_"))]:
            del self._shell.user_ns[name]

    def _run_of(self, order: Order, rewritten: Rewritten, publish: Publish) -> Run:
        return Run(order, rewritten, self._client, self._keeper, publish, self._shell.user_ns, self._worker_half, self._title)

    def _title(self, file: str) -> Optional[str]:
        """`Cell In [3]`, as far as this IPython tells."""
        compile_ = self._shell.compile
        if hasattr(compile_, "format_code_name"):
            name = compile_.format_code_name(file)
            return None if name is None else " ".join(name)
        number = getattr(compile_, "_filename_map", {}).get(file)
        return None if number is None else f"Cell In [{number}]"

    def _cell_id(self, info: Any) -> Optional[str]:
        own = getattr(info, "cell_id", None)
        return own if own is not None else _metadata(self._shell).get("cellId")


class _Armed:
    """The cell that is armed, while it runs."""

    def __init__(self, shell: Any, order: Order, text: Optional[str], run_of: Callable[[Order, Rewritten, Publish], Run]) -> None:
        self._shell, self._order, self._text, self._run_of = shell, order, text, run_of
        # Now: `%%capture` puts others in their places.
        self._publish = publisher(shell.display_pub)
        self._run: Optional[Run] = None
        self._is_open = True
        #: The cell magic that has all of the cell, and the tree of the cell that it may hand in.
        self._magic: Optional[Magic] = None
        self._awaited: Optional[str] = None
        #: Why the cell runs here.
        self._reason: Optional[str] = None
        self._error: Optional[BaseException] = None
        shell.ast_transformers.append(self)
        self._had_show = vars(shell).get("showtraceback")
        self._show = shell.showtraceback
        shell.showtraceback = self._show_traceback

    def visit(self, tree: ast.Module) -> ast.Module:
        """Called by IPython with the tree of a cell."""
        if not self._is_open or (self._awaited is not None and ast.dump(tree) != self._awaited):
            return tree
        made = with_measured(tree, self._parsed)
        magic = cell_magic(made)
        if magic is not None:
            return self._wait_for(magic, made)
        self._is_open = False
        return self._rewritten(tree, made)

    def hear_end(self, result: Any) -> None:
        """Of the cell, and of cells within it."""
        if result is None:
            # It was stopped before it could tell.
            self._error = self._error or KeyboardInterrupt()
        elif not getattr(result, "success", True):
            self._error = self._error or getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)

    def end(self) -> None:
        self._shell.ast_transformers.remove(self)
        if self._had_show is None:
            del self._shell.showtraceback
        else:
            self._shell.showtraceback = self._had_show
        if self._run is not None:
            self._run.finish(self._error)
        if self._is_open and self._magic is not None and self._error is None:
            self._reason = f"{self._magic} runs in this kernel only"
        if self._reason is not None:
            self._publish(_note(f"Ran here, not on the cluster: {self._reason}."), None, False)

    def _wait_for(self, magic: Magic, tree: ast.Module) -> ast.Module:
        """What it hands in as a cell is the cell. Most do not."""
        assert magic.body is not None
        self._magic = magic
        self._awaited = ""
        if magic.name not in RUN_CODE_HERE:
            with contextlib.suppress(SyntaxError):
                self._awaited = ast.dump(self._parsed(magic.body))
        if magic.name in _PADDED and not magic.body.lstrip().startswith("%%"):
            magic.call.args[2] = ast.copy_location(ast.Constant(f"# {magic} {magic.argument}\n{magic.body}"), magic.call)
        return tree

    def _rewritten(self, tree: ast.Module, made: ast.Module) -> ast.Module:
        try:
            rewritten = rewrite(made, self._shell.user_ns)
        except RunsHere as here:
            self._reason = str(here)
            return tree
        except Refusal as refusal:
            rewritten = _refused(made, str(refusal))
        only_here = runs_code_here(made) if rewritten.how == "local" else None
        if only_here is not None:
            self._reason = f"{only_here} runs in this kernel only"
        self._run = self._run_of(self._order, rewritten, self._publish)
        if made.body != tree.body and self._text is not None:
            # What a magic measures is a text in the source that Python knows. IPython leaves empty lines at the top out.
            self._run.cell_text = re.sub(r"\A(\s*\n)+", "", self._text)
        self._shell.user_ns[RUN] = self._run
        return rewritten.tree

    def _parsed(self, code: str) -> ast.Module:
        return ast.parse(self._shell.transform_cell(code))

    def _show_traceback(self, exc_tuple: Any = None, *arguments: Any, **options: Any) -> Any:
        """In the place of the shell's own, which it calls."""
        error = sys.exc_info()[1] if exc_tuple is None else exc_tuple[1]
        if error is not None:
            only_of_the_user(error)
        return self._show(exc_tuple, *arguments, **options)


def _note(text: str) -> dict[str, Any]:
    return {"text/plain": text, "text/html": f"<small>{html.escape(text)}</small>"}


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
