import math
import random
import unittest

from burla_protocol.frames import MAX_FRAME_BYTES, FrameDecoder, FrameError, encode_frame
from burla_protocol.messagepack import pack, unpack

EDGES = [0, 1, 31, 32, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**64 - 1]


class MessagePack(unittest.TestCase):
    def test_every_form_comes_back(self):
        numbers = [*EDGES, *(-edge - 1 for edge in EDGES if edge < 2**63)]
        texts = ["", "a", "ä" * 40, "x" * 31, "x" * 32, "y" * 300, "z" * 70_000, "\0", "😀"]
        for value in [*numbers, *texts, None, True, False, 0.5, -1e300, math.inf, b"", b"\xff" * 300, b"b" * 70_000]:
            self.assertEqual(unpack(pack(value)), value)
            self.assertIs(type(unpack(pack(value))), type(value))
        for size in (0, 15, 16, 70_000):
            self.assertEqual(unpack(pack([None] * size)), [None] * size)
            entries = {str(at): at for at in range(size)}
            self.assertEqual(unpack(pack(entries)), entries)
        self.assertEqual(unpack(pack({"a": [1, {"b": (2, [])}]})), {"a": [1, {"b": [2, []]}]})

    def test_what_has_no_form_is_refused(self):
        for value, error in ((object(), TypeError), ({1, 2}, TypeError), (2**64, OverflowError), (-(2**63) - 1, OverflowError)):
            with self.assertRaises(error):
                pack(value)

    def test_a_surrogate_alone_does_not_end_the_conversation(self):
        self.assertEqual(unpack(pack("a\ud800b")), "a?b")

    def test_bytes_that_are_no_value_are_refused_without_much_memory(self):
        for data in (b"", b"\xc1", b"\xdb\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xa5abc", b"\x00\x00", b"\xa1\xff", b"\x91" * 5000):
            with self.assertRaises(ValueError):
                unpack(data)

    def test_random_bytes_are_a_value_or_refused(self):
        chance = random.Random(1)
        for _ in range(20_000):
            try:
                unpack(chance.randbytes(chance.randrange(40)))
            except ValueError:
                pass


class Frames(unittest.TestCase):
    def test_frames_come_back_whatever_the_pieces(self):
        frames = [({"type": f"t{at}", "n": at}, bytes(at * 7)) for at in range(200)]
        stream = b"".join(b"".join(encode_frame(header, body[:3], body[3:])) for header, body in frames)
        for size in (1, 7, 1000, len(stream)):
            decoder, heard = FrameDecoder(), []
            for at in range(0, len(stream), size):
                heard += decoder.feed(stream[at : at + size])
            self.assertEqual(heard, frames)

    def test_what_is_too_large_is_refused_on_both_sides(self):
        with self.assertRaises(FrameError):
            encode_frame({"type": "x" * 2_000_000})
        for head in (b"\xff\xff\xff\xff\0\0\0\0", b"\x10\0\0\0\xff\xff\xff\0", (MAX_FRAME_BYTES + 1).to_bytes(4, "little") + bytes(4)):
            with self.assertRaises(FrameError):
                list(FrameDecoder().feed(head + bytes(100)))

    def test_what_came_before_a_broken_frame_is_delivered(self):
        decoder, heard = FrameDecoder(), []
        with self.assertRaises(FrameError):
            for frame in decoder.feed(b"".join(encode_frame({"type": "good"})) + b"\x05\0\0\0\x01\0\0\0\xc1"):
                heard.append(frame)
        self.assertEqual(heard, [({"type": "good"}, b"")])


if __name__ == "__main__":
    unittest.main()
