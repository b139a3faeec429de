import pickle
import threading
import unittest

from burla_protocol.apart import give_state, read_apart
from burla_protocol.failures import MAX_ERROR_DEPTH, MAX_ERROR_TEXT_BYTES, to_envelope
from burla_protocol.messagepack import pack, unpack
from burla_protocol.values import find_unpicklable


class Picky(Exception):
    """Cannot be made from its message alone, as many exceptions of packages."""

    def __init__(self, code, detail):
        super().__init__(f"{code}: {detail}")
        self.code = code


def caught(function, *args):
    try:
        function(*args)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def divide(x):
    return 1 / x


class Envelopes(unittest.TestCase):
    def test_an_envelope_is_plain_and_tells_name_message_and_lines(self):
        envelope = unpack(pack(to_envelope(caught(divide, 0))))
        self.assertEqual((envelope["kind"], envelope["name"], envelope["message"]), ("python", "ZeroDivisionError", "division by zero"))
        self.assertIn("return 1 / x", envelope["stack"])
        self.assertIn("in divide", envelope["stack"])

    def test_frames_of_ours_at_the_outer_end_are_left_out(self):
        envelope = to_envelope(caught(divide, 0), lambda file: file == __file__)
        self.assertNotIn("return 1 / x", envelope["stack"])

    def test_causes_and_members_travel_and_end(self):
        def chain(depth):
            try:
                if depth > 0:
                    chain(depth - 1)
                raise ValueError("innermost")
            except (ValueError, KeyError) as error:
                raise KeyError(depth) from error

        envelope, depth = to_envelope(caught(chain, 30)), 0
        while envelope is not None:
            envelope, depth = envelope["cause"], depth + 1
        self.assertEqual(depth, MAX_ERROR_DEPTH)

        circular = ValueError("a")
        circular.__cause__ = KeyError("b")
        circular.__cause__.__cause__ = circular
        self.assertIsNone(to_envelope(circular)["cause"]["cause"])

    def test_a_context_counts_unless_it_is_suppressed(self):
        def during(suppress):
            try:
                divide(0)
            except ZeroDivisionError:
                if suppress:
                    raise KeyError("k") from None
                raise KeyError("k")

        self.assertEqual(to_envelope(caught(during, False))["cause"]["name"], "ZeroDivisionError")
        self.assertIsNone(to_envelope(caught(during, True))["cause"])

    def test_the_exception_itself_comes_back_also_when_its_class_wants_other_arguments(self):
        picky = Picky(7, "no")
        picky.lock = threading.Lock()
        for error in (OSError(2, "gone", "file"), picky):
            frames, data, _links = pickle.loads(to_envelope(error)["pickled"])
            restored, state = read_apart(data)
            give_state(restored, state)
            self.assertIs(type(restored), type(error))
            self.assertEqual(str(restored), str(error))
            self.assertEqual(frames, [])
        self.assertEqual(restored.code, 7)
        self.assertIn("lock", restored.lock)

    def test_long_texts_are_cut_and_nothing_raises(self):
        class Hostile(Exception):
            def __str__(self):
                raise RuntimeError

        self.assertEqual(to_envelope(Hostile())["message"], "(the message could not be read)")
        self.assertLess(len(to_envelope(ValueError("x" * 1_000_000))["message"]), MAX_ERROR_TEXT_BYTES + 100)


class Unpicklable(unittest.TestCase):
    def test_the_path_to_the_culprit_is_named(self):
        lock = threading.Lock()
        self.assertIsNone(find_unpicklable({"a": [1, "b"]}))
        self.assertEqual(find_unpicklable({"a": [1, lock]})[0], "['a'][1]")
        holder = Picky(1, "x")
        holder.inner = {"k": (lock,)}
        self.assertEqual(find_unpicklable([holder])[0], "[0].inner['k'][0]")
        self.assertIn("a lock", find_unpicklable(lock)[1])
        self.assertIn("generator", find_unpicklable([x for x in ()] and None or (x for x in ()))[1])


if __name__ == "__main__":
    unittest.main()
