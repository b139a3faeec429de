import importlib
import pickle
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import cloudpickle

from burla import BurlaError
from burla.capture import capture
from burla.modules import is_installed, own_modules, packages_in

LOCK = threading.Lock()
SCALE = 3


def scaled(x):
    return x * SCALE


def locked(x):
    with LOCK:
        return x


class Capture(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        sys.path.insert(0, folder.name)
        self.addCleanup(sys.path.remove, folder.name)

    def module(self, name, text):
        (self.folder / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        self.addCleanup(sys.modules.pop, name, None)
        return importlib.import_module(name)

    def test_a_bundle_has_the_function_its_source_and_its_version(self):
        bundle, _ = capture(scaled, same_machine=False)
        content = pickle.loads(bundle.code)
        self.assertEqual((tuple(content["python"]), bundle.name), (sys.version_info[:2], "scaled"))
        self.assertIn("return x * SCALE", content["sources"][__file__])
        self.assertIsNone(content["path"])
        self.assertEqual(pickle.loads(content["parts"])[0](2), 6)

    def test_what_is_too_large_is_named(self):
        table = bytearray(140_000_000)
        small = [1]
        def look(x, *, scale=small): return table[x] * scale[0]
        class Big:
            def __init__(self): self.inner = table
            def look(self, x): return self.inner[x]
        with self.assertRaises(BurlaError) as caught:
            capture(lambda x: look(x), same_machine=True)
        self.assertEqual(caught.exception.code, "BURLA_TOO_LARGE")
        self.assertRegex(str(caught.exception), r"have 134 MiB, over the limit of 128 MiB; table alone has 134 MiB\s+Read table in the function")
        with self.assertRaises(BurlaError) as caught:
            capture(Big().look, same_machine=True)
        self.assertRegex(str(caught.exception), "over the limit of 128 MiB")

    def test_modules_of_the_user_travel_by_value(self):
        helper = self.module("burla_test_helper", "FACTOR = 5\nclass Box:\n    def __init__(self, v): self.v = v\ndef grow(x): return Box(x * FACTOR)\n")
        helper.FACTOR = 7
        self.assertIn(helper, own_modules())
        bundle, pickler = capture(lambda x: helper.grow(x).v, same_machine=False)
        (self.folder / "bundle").write_bytes(pickle.loads(bundle.code)["parts"])
        (self.folder / "input").write_bytes(pickler.dumps(helper.Box(2)))
        check = f"import pickle; f, b = (pickle.load(open('{self.folder}/' + n, 'rb')) for n in ('bundle', 'input')); print(f[0](2), b.v)"
        clean = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd="/")
        self.assertEqual(clean.stdout.split(), ["14", "2"])
        self.assertNotIn("burla_test_helper", cloudpickle.list_registry_pickle_by_value())

    def test_what_cannot_be_sent_by_value_is_imported_on_the_same_machine(self):
        helper = self.module("burla_test_locked", "import threading\nLOCK = threading.Lock()\ndef hold(x):\n    with LOCK: return x\n")
        capture(lambda x: helper.hold(x), same_machine=True)
        with self.assertRaises(BurlaError) as caught:
            capture(lambda x: helper.hold(x), same_machine=False)
        self.assertEqual(caught.exception.code, "BURLA_CAPTURE")

    def test_a_refusal_walks_to_the_culprit(self):
        with self.assertRaises(BurlaError) as caught:
            capture(by_value(locked), same_machine=False)
        self.assertRegex(str(caught.exception), r"locked cannot be sent to the cluster: locked → LOCK is a lock \(.*\)\n  Pass what the message names")

    def test_installed_packages_are_named_with_their_version(self):
        names = dict(packages_in(cloudpickle.dumps(importlib.import_module)))
        self.assertEqual(names, {})
        self.assertTrue(is_installed(cloudpickle.__file__))
        self.assertFalse(is_installed(__file__))


def by_value(function):
    """As if it were defined in the script that runs."""
    copy = type(function)(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    copy.__module__ = "__main__"
    return copy


if __name__ == "__main__":
    unittest.main()
