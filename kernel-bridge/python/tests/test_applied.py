"""`apply` of pandas on a cluster, for versions of it that are not installed."""

from __future__ import annotations

import pathlib
import sys
import unittest
from typing import Any, Callable

sys.path[:0] = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parents[3] / "protocol/python")]

from burla_kernel import applied  # noqa: E402


class _Series:
    def __init__(self, values: list[int]) -> None:
        self.values = values

    def apply(self, function: Callable[[int], Any]) -> list[Any]:
        return [function(value) for value in self.values]


class AppliedTest(unittest.TestCase):
    def test_the_values_of_a_series_run_on_the_cluster_whatever_module_it_says_it_is_of(self) -> None:
        for module in ("pandas.core.series", "pandas"):
            with self.subTest(module=module):
                kind = type("Series", (_Series,), {"__module__": module})
                sent: list[int] = []

                def on_the_cluster(function: Callable[..., Any], noted: list[Any]) -> list[Any]:
                    sent.extend(value for value, *_rest in noted)
                    return [function(value) for value, *_rest in noted]

                call = applied.method(kind([1, 2]), "apply", on_the_cluster, lambda function: function)
                self.assertEqual(call(lambda value: value * 10), [10, 20])
                self.assertEqual(sent, [1, 2])

    def test_what_is_not_of_pandas_runs_here(self) -> None:
        def on_the_cluster(_function: Callable[..., Any], _noted: list[Any]) -> list[Any]:
            raise AssertionError("nothing of it is sent")

        call = applied.method(_Series([1, 2]), "apply", on_the_cluster, lambda function: function)
        self.assertEqual(call(lambda value: value * 10), [10, 20])


if __name__ == "__main__":
    unittest.main()
