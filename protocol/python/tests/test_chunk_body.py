import unittest

from burla_protocol.chunk_body import Refusal, take_refusals, with_refusals


class ChunkBody(unittest.TestCase):
    def test_refusals_come_back_before_the_values(self):
        refusals = {0: Refusal("BURLA_INPUT", "first"), 300: Refusal("BURLA_TOO_LARGE", "\ud800" + "ü" * 5000)}
        taken, values = take_refusals(with_refusals(b"\x80values", refusals))
        self.assertEqual((taken[0], taken[300].code, len(taken[300].message), values), (refusals[0], "BURLA_TOO_LARGE", 4000, b"\x80values"))

    def test_values_without_any_are_left_as_they_are(self):
        self.assertEqual(with_refusals(b"\x80v", {}), b"\x80v")
        self.assertEqual(take_refusals(b"\x80v"), ({}, b"\x80v"))


if __name__ == "__main__":
    unittest.main()
