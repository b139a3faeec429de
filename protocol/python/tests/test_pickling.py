import fnmatch
import functools
import pickle
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from burla_protocol.pickling import _MARKS, dumps

#: A script and what it calls: none of this is in the `__main__` that opens the pickle.
SCRIPT = '''
import functools, sys, typing
from pathlib import Path
from burla_protocol.pickling import dumps

class Point(typing.NamedTuple):
    x: int
    y: int = 2
    def total(self): return self.x + self.y

class Model:
    @functools.cached_property
    def weights(self): return [1, 2]
    @functools.lru_cache(maxsize=None)
    def score(self, x): return x * 2
    @staticmethod
    @functools.lru_cache(maxsize=7)
    def shifted(x): return x + 1

@functools.lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)

@functools.singledispatch
def kind(value): return "any"

@kind.register
def _(value: int): return "int"

@kind.register
def _(value: Point): return "point"

UserId = typing.NewType("UserId", int)

def user(x: UserId) -> UserId: return UserId(x)

def call(n):
    model = Model()
    assert Point(n).total() == n + 2 and Point(n)._replace(y=5) == (n, 5) and Point._fields == ("x", "y")
    assert model.weights is model.weights and model.weights == [1, 2]
    assert model.score(n) == 2 * n and Model.shifted(n) == n + 1 and Model.shifted.cache_parameters()["maxsize"] == 7
    assert [kind(value) for value in (n, "", Point(n))] == ["int", "any", "point"]
    return fib(n), user(n)

if sys.version_info >= (3, 10):
    P, R = typing.ParamSpec("P"), typing.TypeVar("R")
    def logged(function: typing.Callable[P, R]) -> typing.Callable[P, R]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R: return function(*args, **kwargs)
        return wrapper
    call = logged(call)
if sys.version_info >= (3, 11):
    T = typing.TypeVar("T")
    class Pair(typing.NamedTuple, typing.Generic[T]):
        a: T
    plain = call
    def call(n):
        assert Pair[int](n).a == n
        return plain(n)

Path(sys.argv[1]).write_bytes(dumps(call))
'''


class Pickling(unittest.TestCase):
    def test_what_scripts_define_is_there_in_another_process(self):
        with tempfile.TemporaryDirectory() as folder:
            script, pickled = Path(folder) / "script.py", Path(folder) / "pickled"
            script.write_text(SCRIPT)
            subprocess.run([sys.executable, script, pickled], check=True)
            load = f"import pickle, pathlib; print(pickle.loads(pathlib.Path({str(pickled)!r}).read_bytes())(40))"
            loaded = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
        self.assertEqual(loaded.stdout, "(102334155, 40)\n")

    def test_functions_that_share_a_variable_go_on_sharing_it(self):
        def counter():
            count = 0

            def add(n):
                nonlocal count
                count += n
                return count

            return add, lambda: count

        (add, read), (other, _) = counter(), counter()
        add_there, read_there, other_there, again = pickle.loads(dumps((add, read, other, [add])))
        self.assertEqual((add_there(5), read_there(), other_there(1), read()), (5, 5, 1, 0))
        self.assertIs(again[0], add_there)

    def test_marks_of_dataclasses_are_the_very_ones(self):
        for mark in _MARKS:
            self.assertIs(pickle.loads(dumps([mark]))[0], mark)
        self.assertGreater(len(_MARKS), 3)

    def test_a_cached_function_of_a_package_is_the_very_one(self):
        self.assertIs(pickle.loads(dumps(fnmatch._compile_pattern)), fnmatch._compile_pattern)
        self.assertIsInstance(fnmatch._compile_pattern, functools._lru_cache_wrapper)
