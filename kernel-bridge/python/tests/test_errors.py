"""Exceptions come back from their envelopes with the links that they had."""

import sys
import threading
import time
import unittest

from burla.errors import from_envelope
from burla.limits import Watch
from burla_protocol.failures import to_envelope
from burla_protocol.messagepack import pack, unpack


def there_and_back(error, **options):
    return from_envelope(unpack(pack(to_envelope(error))), **options)


class Unreadable:
    def __init__(self):
        self.field = 1

    def __setstate__(self, state):
        raise RuntimeError("not here")


class Hanging(Unreadable):
    def __setstate__(self, state):
        while True:
            time.sleep(0.01)


class Worded(Exception):
    """What it says of itself needs an attribute."""

    def __init__(self, code, held):
        super().__init__()
        self.code, self.held = code, held

    def __str__(self):
        return f"code {self.code}"


class Keeps(Exception):
    """Written by its own code."""

    def __init__(self, held):
        super().__init__("kept")
        self.held = held

    def __reduce__(self):
        return type(self), (self.held,)


def limited(read, _are_several):
    return Watch().run(read, 0.2)


class AttributesTest(unittest.TestCase):
    def test_one_that_cannot_be_read_is_a_text_and_the_others_stay(self):
        error = ValueError("x")
        error.code, error.bad, error.items = 5, Unreadable(), [1, 2]
        error.lock = threading.Lock()
        restored = there_and_back(error)
        self.assertEqual((type(restored), restored.args, restored.code, restored.items), (ValueError, ("x",), 5, [1, 2]))
        self.assertRegex(restored.bad, "Unreadable that cannot be read here: RuntimeError: not here")
        self.assertIn("lock", restored.lock)

    def test_one_that_takes_too_long_to_read(self):
        error = Worded(5, Hanging())
        error.__cause__ = ValueError("cause")
        error.__cause__.held = Hanging()
        restored = there_and_back(error, limited=limited)
        self.assertEqual((type(restored), str(restored), restored.code), (Worded, "code 5", 5))
        self.assertRegex(restored.held, "Hanging that cannot be read here: it took longer")
        self.assertIs(type(restored.__cause__), ValueError)
        self.assertIn("Hanging", restored.__cause__.held)

    def test_an_argument_that_cannot_be_read(self):
        restored = there_and_back(ValueError("x", Unreadable()))
        self.assertIs(type(restored), ValueError)
        self.assertEqual(restored.args[0], "x")
        self.assertIn("Unreadable object", restored.args[1])

    def test_a_class_that_writes_itself(self):
        restored = there_and_back(Keeps(Unreadable()))
        self.assertIs(type(restored), Keeps)
        self.assertIn("Unreadable object", restored.held)

    def test_attributes_share_what_they_shared_and_may_lead_back(self):
        error, items = ValueError("x"), [1]
        error.first, error.second, error.back = items, {"items": items}, [error]
        restored = there_and_back(error)
        self.assertIs(restored.second["items"], restored.first)
        self.assertIs(restored.back[0], restored)
        error.bad = Unreadable()
        restored = there_and_back(error)
        self.assertIs(restored.second["items"], restored.first)
        self.assertIs(restored.back[0], restored)

    def test_fields_of_built_in_exceptions(self):
        error = ImportError("no", name="module", path="/p")
        error.held = Unreadable()
        restored = there_and_back(error)
        self.assertEqual((restored.name, restored.path, restored.msg), ("module", "/p", "no"))

    def test_a_group(self):
        if sys.version_info < (3, 11):
            return
        member = KeyError("m")
        member.held = Unreadable()
        error = ExceptionGroup("g", [member])  # noqa: F821
        error.code, error.held, error.lock = 5, Unreadable(), threading.Lock()
        restored = there_and_back(error)
        self.assertEqual((type(restored).__name__, restored.message, restored.code), ("ExceptionGroup", "g", 5))
        self.assertIn("cannot be read here", restored.held)
        self.assertIn("lock", restored.lock)
        self.assertIs(type(restored.exceptions[0]), KeyError)
        self.assertIn("cannot be read here", restored.exceptions[0].held)


class LinksTest(unittest.TestCase):
    def test_one_that_is_its_own_cause(self):
        error = ValueError("a")
        error.__cause__ = error.__context__ = error
        restored = there_and_back(error)
        self.assertIs(restored.__cause__, restored)
        self.assertIs(restored.__context__, restored)
        self.assertTrue(restored.__suppress_context__)

    def test_causes_in_a_circle(self):
        error = ValueError("a")
        error.__cause__ = KeyError("b")
        error.__cause__.__cause__ = error
        restored = there_and_back(error)
        self.assertEqual((type(restored), type(restored.__cause__)), (ValueError, KeyError))
        self.assertIs(restored.__cause__.__cause__, restored)

    def test_contexts_that_end_in_a_circle(self):
        first, second, third = ValueError(1), KeyError(2), TypeError(3)
        first.__context__, second.__context__, third.__context__ = second, third, second
        restored = there_and_back(first)
        self.assertIsNone(restored.__cause__)
        self.assertFalse(restored.__suppress_context__)
        self.assertIs(type(restored.__context__), KeyError)
        self.assertIs(restored.__context__.__context__.__context__, restored.__context__)

    def test_a_cause_whose_context_leads_back(self):
        error, cause = ValueError("a"), KeyError("b")
        error.__cause__, cause.__context__ = cause, error
        restored = there_and_back(error)
        self.assertIs(restored.__cause__.__context__, restored)
        self.assertIsNone(restored.__context__)

    def test_none(self):
        restored = there_and_back(ValueError("a"))
        self.assertEqual((restored.__cause__, restored.__context__, restored.__suppress_context__), (None, None, False))


if __name__ == "__main__":
    unittest.main()
