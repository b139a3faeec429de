import pickle
import unittest

import cloudpickle

from burla.given import as_given
from burla.inputs import InputPump
from burla.pickling import ValuePickler


def pumped(inputs):
    chunks, totals, failures = [], [], []
    pump = InputPump(inputs, ValuePickler(cloudpickle, []), lambda *chunk: chunks.append(chunk), totals.append, failures.append)
    pump.allow(1_000, 1 << 30, 4)
    pump.run()
    return [value for *_rest, body in chunks for value in pickle.loads(body)], totals, failures


class Inputs(unittest.TestCase):
    def test_an_input_that_its_generator_uses_again_is_sent_as_it_was_given(self):
        def rows():
            row, buffer = {"n": 0, "list": [0]}, bytearray(1)
            for n in range(10):
                row["n"] = row["list"][0] = buffer[0] = n
                yield buffer if n % 2 else row

        expected = [bytearray([n]) if n % 2 else {"n": n, "list": [n]} for n in range(10)]
        self.assertEqual(pumped(rows()), (expected, [10], []))

    def test_what_is_shared_or_leads_back_stays_so(self):
        part = {"a": 1}
        value = [part, part, {"x": {1}}, (1, [2])]
        value.append(value)
        copy = as_given(value)
        self.assertIs(copy[0], copy[1])
        self.assertIs(copy[4], copy)
        self.assertEqual(copy[:4], value[:4])
        self.assertFalse(copy[0] is part or copy[2]["x"] is value[2]["x"] or copy[3][1] is value[3][1])
        self.assertIs(as_given(part.__class__), dict)
