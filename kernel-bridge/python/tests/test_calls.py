"""By what a call of a pool is known in the next run of its cell."""

from __future__ import annotations

import functools
import pathlib
import sys
import threading
import unittest
from typing import Any

sys.path[:0] = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parents[3] / "protocol/python")]

from burla_kernel.calls import KeptCalls, key_of  # noqa: E402


def _defined(text: str) -> Any:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(text, space)
    return space["f"]


class KeyTest(unittest.TestCase):
    def test_a_function_is_known_by_its_name_and_a_lambda_by_what_it_does(self) -> None:
        same = [("def f(x): return x", "def f(x): return -x", True), ("f = lambda x: x", "\n\nf = lambda x: x", True), ("f = lambda x: x", "f = lambda x: -x", False)]
        for one, other, is_same in [*same, ("f = lambda x: x + 1", "f = lambda x: x + 2", False), ("def f(x): pass", "def g(x): pass\nf = g", False)]:
            for wrap in (lambda f: f, lambda f: functools.partial(f, 1), lambda f: [(f, (), {})]):
                with self.subTest(one=one, other=other):
                    self.assertEqual(key_of(wrap(_defined(one))) == key_of(wrap(_defined(other))), is_same)

    def test_arguments_and_what_a_function_holds_on_to_count(self) -> None:
        holder = "def make(k):\n    def inner(): return k\n    return inner\nf = make"
        self.assertEqual(key_of(_defined(holder)([1])), key_of(_defined(holder)([1])))
        self.assertNotEqual(key_of(_defined(holder)(1)), key_of(_defined(holder)(2)))
        self.assertNotEqual(key_of((len, ("a",), {})), key_of((len, ("b",), {})))
        self.assertNotEqual(key_of(([].append, (1,), {})), key_of(([2].append, (1,), {})))

    def test_a_class_that_was_defined_again_is_known(self) -> None:
        text = "class C:\n    def __init__(self): self.x = 1\nf = C"
        self.assertIsNotNone(key_of(_defined(text)))
        self.assertEqual(key_of(_defined(text)), key_of(_defined(text)))

    def test_what_cannot_be_pickled_is_not_known(self) -> None:
        self.assertIsNone(key_of((len, (threading.Lock(),), {})))


class KeptCallsTest(unittest.TestCase):
    def test_equal_calls_take_what_came_in_their_order_and_only_what_is_asked_for_runs_again(self) -> None:
        first = KeptCalls("calls")
        error = ValueError()
        for index, key in enumerate((b"a", b"a", b"b", None, b"c")):
            self.assertEqual(first.place(key), (index, None))
            if index == 4:
                continue
            if index in (1, 2):
                first.reject(index, error)
            else:
                first.fulfil(index, index * 10)
        again = KeptCalls("calls", first, (1,))
        placed = [again.place(key)[1] for key in (b"a", b"a", b"a", b"b", None, b"c")]
        self.assertEqual([outcome and (outcome.value, outcome.error) for outcome in placed if outcome is None or outcome.error is None], [(0, None), None, None, None, None])
        self.assertIs(again.failures[3], error)
        self.assertEqual([again.index_of(number) for number in range(4)], [1, 2, 4, 5])

    def test_a_call_that_a_stopped_run_has_not_made_is_still_known(self) -> None:
        first = KeptCalls("calls")
        first.place(b"a")
        first.place(b"b")
        first.fulfil(1, "kept")
        stopped = KeptCalls("calls", first)
        stopped.place(b"a")
        last = KeptCalls("calls", stopped)
        last.place(b"a")
        outcome = last.place(b"b")[1]
        self.assertEqual(outcome and outcome.value, "kept")


if __name__ == "__main__":
    unittest.main()
