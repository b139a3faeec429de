"""Exceptions come back from their envelopes with the links that they had."""

import unittest

from burla.errors import from_envelope
from burla_protocol.failures import to_envelope
from burla_protocol.messagepack import pack, unpack


def there_and_back(error):
    return from_envelope(unpack(pack(to_envelope(error))))


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
