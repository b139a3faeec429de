import datetime
import pickle
import random
import unittest

from burla_protocol.pickling import dumps
from burla_protocol.pieces import Pieces
from burla_protocol.values import Unreadable, decode_data, decode_each, is_one_value


class Node:
    def __init__(self, value):
        self.value = value
        self.next = None


class Bad:
    """Is written, and cannot be read."""

    def __init__(self, *parts):
        self.parts = parts

    def __setstate__(self, state):
        raise ValueError("bad")


class Leaves:
    def __reduce__(self):
        return exit_now, ()


def exit_now():
    raise SystemExit(3)


def shape(value, seen=None):
    """What a value is, and which of its parts are one and the same."""
    seen = {} if seen is None else seen
    if isinstance(value, (int, str, bytes, type(None), datetime.date)):
        return value
    if id(value) in seen:
        return ("seen", seen[id(value)])
    seen[id(value)] = len(seen)
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [shape(part, seen) for part in value])
    if isinstance(value, dict):
        return ("dict", [(key, shape(part, seen)) for key, part in value.items()])
    if isinstance(value, Node):
        return ("Node", shape(value.value, seen), shape(value.next, seen))
    return (value.__name__, shape(value.__defaults__, seen))


def random_value(chance, pool, depth):
    if pool and chance.random() < 0.25:
        return chance.choice(pool)
    kind = chance.randrange(8 if depth > 0 else 3)
    if kind < 3:
        return (chance.randrange(10**6), f"s{chance.randrange(50)}", b"x" * chance.randrange(300))[kind]
    if kind == 3:
        pool.append([])
        value = pool[-1]
        value.extend(random_value(chance, pool, depth - 1) for _ in range(chance.randrange(5)))
    elif kind == 4:
        value = {at: random_value(chance, pool, depth - 1) for at in range(chance.randrange(5))}
    elif kind == 5:
        value = tuple(random_value(chance, pool, depth - 1) for _ in range(chance.randrange(5)))
    elif kind == 6:
        value = Node(None)
        pool.append(value)
        value.value, value.next = random_value(chance, pool, depth - 1), random_value(chance, pool, depth - 1)
    else:

        def value(part=random_value(chance, pool, depth - 1)):
            return part

    pool.append(value)
    return value


class OneByOne(unittest.TestCase):
    def test_each_is_what_it_is_in_the_whole_whatever_it_shares(self):
        for seed in range(150):
            chance = random.Random(seed)
            pool = []
            data = dumps([random_value(chance, pool, 4) for _ in range(chance.choice([0, 1, 2, 5, 40, 1100 if seed % 25 == 0 else 3]))])
            whole, pieces = pickle.loads(data), Pieces(data)
            self.assertEqual(len(pieces), len(whole), seed)
            self.assertEqual(shape([pieces.value(at) for at in range(len(pieces))]), shape(whole), seed)
            apart, order = pieces.again(), list(range(len(whole)))
            chance.shuffle(order)
            for at in order:
                self.assertEqual(shape(apart.value(at)), shape(whole[at]), (seed, at))

    def test_one_that_cannot_be_read_leaves_alone_those_that_share_with_it(self):
        class Own:
            def __init__(self, value):
                self.value = value

        shared, ring = [1], Node("ring")
        ring.next = ring
        # All that the others need is written first within what fails.
        data = dumps([Bad(Own(0), shared, ring), Own(shared), (ring, shared), Bad(), Own(3)])
        values, are_whole = decode_each(data)
        self.assertFalse(are_whole)
        self.assertEqual([type(value) is Unreadable for value in values], [True, False, False, True, False])
        self.assertIsInstance(values[0].error, ValueError)
        self.assertEqual((values[1].value, values[4].value), ([1], 3))
        self.assertIs(type(values[1]), type(values[4]))
        self.assertIs(values[2][0].next, values[2][0])
        self.assertIs(values[2][1], values[1].value)

    def test_what_holds_a_value_that_cannot_be_read_cannot_be_read_either(self):
        bad = Bad()
        values, _ = decode_each(dumps([bad, [bad], {"k": (bad,)}, 1]))
        self.assertEqual([type(value) is Unreadable for value in values], [True, True, True, False])

    def test_nothing_that_is_raised_ends_the_reading(self):
        for kind in (SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError, MemoryError, StopIteration, Exception):

            class Raises:
                def __setstate__(self, state):
                    raise kind("x")

            hurt = Raises()
            hurt.state = 1
            values, _ = decode_each(dumps([1, hurt, Leaves(), "end"]))
            self.assertEqual((values[0], values[3]), (1, "end"))
            self.assertIs(type(values[1].error), kind)
            self.assertIsInstance(values[2].error, SystemExit)

    def test_only_values_that_call_no_code_are_data(self):
        self.assertEqual(decode_data(dumps([1, "a", (2.5, None), {"k": {1, 2}}, frozenset([b"x"])])), [1, "a", (2.5, None), {"k": {1, 2}}, frozenset([b"x"])])
        self.assertIsNone(decode_data(dumps([1, Leaves()])))
        self.assertIsNone(decode_data(dumps([datetime.date(2020, 1, 1)])))

    def test_a_list_of_one_is_known_without_reading_it(self):
        for count in (0, 1, 2, 999, 1000, 1001, 2001):
            self.assertEqual(is_one_value(dumps([Node(1)] * count)), count == 1, count)

    def test_what_is_no_pickled_list_is_refused(self):
        for data in (b"", b"x", pickle.dumps(3, protocol=0), dumps([1, 2])[:-1], b"\x80\x05\xff."):
            with self.assertRaises(ValueError):
                Pieces(data)


if __name__ == "__main__":
    unittest.main()
