import pickle
import threading
import unittest

from burla_protocol.made import Before, restore
from burla_protocol.pickling import dumps


class Model:
    def __init__(self):
        self.weights = [0]


class Slotted:
    __slots__ = ("n",)


class Made(unittest.TestCase):
    def run_there(self, session, call, bound=()):
        """A call that gets copies of the session's values, as on a worker. @returns what is restored into the session."""
        there = pickle.loads(dumps(session))
        before = Before(there)
        return restore(pickle.loads(pickle.dumps(before.pack(call(there), bound))), session)

    def test_what_was_only_read_is_named(self):
        session = {"big": list(range(100_000)), "n": 1}
        there = pickle.loads(dumps(session))
        packed = Before(there).pack([there["big"], there["n"]], ())
        self.assertLess(len(packed["all"]), 1000)
        value = restore(packed, session).value
        self.assertIs(value[0], session["big"])

    def test_what_was_changed_is_filled_in_place(self):
        model, rows = Model(), [[1]]
        session = {"model": model, "rows": rows, "same": rows, "seen": {1}, "counts": {"a": 1}, "data": bytearray(b"a")}

        def call(there):
            there["model"].weights.append(there["rows"])
            there["rows"].append(there["model"])
            there["seen"].add(2)
            there["counts"]["b"] = there["seen"]
            there["data"].extend(b"b")
            return there["model"]

        known = dict(session)
        restored = self.run_there(session, call)
        self.assertIs(restored.value, model)
        for name, value in restored.names.items():
            self.assertIs(value, known[name])
        self.assertEqual((rows[0], rows[1] is model, model.weights[1] is rows), ([1], True, True))
        self.assertEqual((session["seen"], session["counts"]["b"] is session["seen"], session["data"]), ({1, 2}, True, b"ab"))

    def test_what_cannot_be_filled_is_made_anew(self):
        slotted = Slotted()
        slotted.n = 1
        session = {"slotted": slotted}
        restored = self.run_there(session, lambda there: setattr(there["slotted"], "n", 2))
        self.assertEqual((restored.names["slotted"].n, slotted.n), (2, 1))

    def test_names_that_appear_or_mean_something_else_are_told(self):
        restored = self.run_there({"n": 1, "kept": [1], "f": len}, lambda there: there.update(n=2, new=3, f=max))
        self.assertEqual(restored.names, {"n": 2, "new": 3, "f": max})

    def test_what_cannot_be_sent_is_named_and_the_rest_is_there(self):
        session = {"rows": []}

        def call(there):
            there["lock"] = threading.Lock()
            there["rows"].append(1)
            return threading.Lock()

        restored = self.run_there(session, call)
        self.assertEqual(sorted(name or "" for name, _reason in restored.lost), ["", "lock"])
        self.assertEqual((session["rows"], restored.value), ([1], None))

    def test_a_name_that_is_gone_is_said(self):
        there = {"rows": [1]}
        packed = Before(there).pack(there["rows"], ())
        with self.assertRaisesRegex(NameError, "'rows' is not defined any more"):
            restore(packed, {})
