import pickle
import threading
import unittest
from sys import getrefcount

from burla_protocol.messagepack import unpack
from burla_worker.batch import Batch
from burla_worker.snapshot import OWN_REFERENCES, as_it_is_now


def opened(batch):
    """What a client would read: value or failure by index."""
    outcomes = {}
    for message, values_body, errors_body in batch.encode():
        values = iter(pickle.loads(values_body) if values_body else [])
        errors = iter(unpack(errors_body) if errors_body else [])
        for position in range(message["count"]):
            index = message["first"] + position if message["indices"] is None else message["indices"][position]
            outcomes[index] = next(errors) if position in message["failed"] else next(values)
    return outcomes


class Batches(unittest.TestCase):
    def test_values_and_failures_keep_their_place(self):
        batch = Batch(1)
        batch.add_value(5, "a", 0.1)
        batch.add_failure(6, {"kind": "burla", "code": "X", "message": "m"}, 0.1)
        batch.add_value(9, [1], 0.1)
        ((message, _values, _errors),) = batch.encode()
        self.assertEqual((message["indices"], message["failed"], message["count"]), ([5, 6, 9], [1], 3))
        self.assertAlmostEqual(message["runMs"], 300)
        self.assertEqual(opened(batch), {5: "a", 6: {"kind": "burla", "code": "X", "message": "m"}, 9: [1]})

    def test_an_input_with_which_no_call_can_be_made_is_marked_also_in_parts(self):
        refusal = {"kind": "burla", "code": "BURLA_INPUT", "message": "m"}
        for max_body_bytes in (1 << 20, 2_000):
            batch = Batch(1, max_body_bytes)
            for index in range(20):
                if index % 5 == 3:
                    batch.refuse(index, refusal, 0)
                elif index % 5 == 4:
                    batch.add_failure(index, refusal, 0)
                else:
                    batch.add_value(index, "x" * 200, 0)
            final = [message["first"] + position for message, _values, _errors in batch.encode() for position in message["final"]]
            self.assertEqual(final, [3, 8, 13, 18])

    def test_indices_in_a_row_are_not_listed(self):
        batch = Batch(1)
        for index in range(3, 8):
            batch.add_value(index, index, 0)
        ((message, _values, _errors),) = batch.encode()
        self.assertIsNone(message["indices"])

    def test_a_value_that_cannot_be_pickled_fails_alone_and_names_its_part(self):
        batch = Batch(1)
        batch.add_value(0, 1, 0)
        batch.add_value(1, {"deep": [threading.Lock()]}, 0)
        batch.add_value(2, 3, 0)
        outcomes = opened(batch)
        self.assertEqual((outcomes[0], outcomes[2]), (1, 3))
        self.assertEqual(outcomes[1]["code"], "BURLA_RESULT")
        self.assertIn("the result of input 1 cannot be sent: result['deep'][0] is a lock", outcomes[1]["message"])

    def test_more_than_a_frame_goes_in_parts_and_a_single_value_above_it_fails(self):
        batch = Batch(1, max_body_bytes=2000)
        for index in range(10):
            batch.add_value(index, "x" * (5000 if index == 4 else 500), 0)
        self.assertGreater(len(batch.encode()), 3)
        outcomes = opened(batch)
        self.assertEqual([len(value) for index, value in outcomes.items() if index != 4], [500] * 9)
        self.assertEqual(outcomes[4]["code"], "BURLA_TOO_LARGE")

    def test_a_value_that_its_function_changes_later_is_sent_as_it_was(self):
        batch, shared = Batch(1), []
        for index in range(3):
            shared.append(index)
            batch.add_value(index, as_it_is_now(shared), 0)
        self.assertEqual(opened(batch), {0: [0], 1: [0, 1], 2: [0, 1, 2]})

    def test_a_value_that_nobody_else_holds_is_told_from_one_that_somebody_does(self):
        fresh = [1]
        self.assertEqual(getrefcount(fresh), OWN_REFERENCES)
        held = {"by": fresh}
        self.assertGreater(getrefcount(fresh), OWN_REFERENCES, held)


if __name__ == "__main__":
    unittest.main()
