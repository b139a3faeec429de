"""What is written to the files of a worker: whole parts, whatever the disk has room for."""

import errno
import os
import struct
import tempfile
import unittest
from unittest import mock

from burla_protocol.messagepack import unpack
from burla_worker import printed_files
from burla_worker.printed_files import LINES, PARTIAL, READ, TURNED, WHOLE, Parts, PrintedFiles


def read(data):
    """The parts of a file, those of lines as (count, dropped, texts)."""
    found = []
    while data:
        length, kind = struct.unpack_from("<IB", data)
        payload, data = data[5 : 5 + length], data[5 + length :]
        assert len(payload) == length
        if kind != LINES:
            found.append((kind, unpack(payload) if payload else None))
            continue
        count, dropped = struct.unpack_from("<II", payload)
        entries = unpack(b"\xdd" + struct.pack(">I", count) + payload[8:])
        found.append((LINES, (count, dropped, [(index, stream, text) for index, stream, _time, text in entries])))
    return found


class PrintedFilesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.paths = [os.path.join(folder.name, name) for name in printed_files.FILES]
        for path in self.paths:
            open(path, "w").close()
        self.files = PrintedFiles(os.path.join(folder.name, "stdout"))
        self.addCleanup(lambda: [os.close(descriptor) for descriptor in self.files._descriptors])

    def content(self, which=0):
        with open(self.paths[which], "rb") as file:
            return file.read()

    def line(self, text, index=3):
        parts = Parts()
        parts.line(index, 1, text)
        return self.files.write(parts)

    def test_parts_keep_their_order(self):
        parts = Parts()
        parts.partial("1:3", 3, 1, "be")
        parts.whole("1:3")
        parts.line(3, 1, "begin")
        parts.line(-1, 2, "ä" * 300)
        parts.read(2, 70_000)
        parts.dropped(5)
        self.assertEqual(self.files.write(parts), 0)
        found = read(self.content())
        (kind, (key, index, stream, _time, added)) = found[0]
        self.assertEqual((kind, key, index, stream, added), (PARTIAL, "1:3", 3, 1, "be"))
        self.assertEqual(
            found[1:],
            [(WHOLE, "1:3"), (LINES, (2, 0, [(3, 1, "begin"), (-1, 2, "ä" * 300)])), (READ, [2, 70_000]), (LINES, (0, 5, []))],
        )
        self.assertEqual((parts.size, parts.take()), (0, (bytearray(), 0)))

    def test_it_turns_to_the_other_file_when_that_was_read(self):
        text = "x" * 10_000
        while not self.content(1):
            self.line(text)
        first = read(self.content(0))
        self.assertEqual(first[-1], (TURNED, None))
        self.assertGreater(len(self.content(0)), printed_files.TURN_BYTES)
        # Nobody has read the first file: it goes on here.
        for _ in range(2 * printed_files.TURN_BYTES // len(text)):
            self.line(text)
        self.assertEqual(len(read(self.content(0))), len(first))
        os.truncate(self.paths[0], 0)
        self.line("last")
        self.assertEqual(read(self.content(0)), [(LINES, (1, 0, [(3, 1, "last")]))])
        self.assertEqual(read(self.content(1))[-1], (TURNED, None))

    def test_a_node_that_does_not_read_costs_lines_and_no_disk(self):
        with mock.patch.multiple(printed_files, TURN_BYTES=1000, MAX_PRINTED_BYTES=5000):
            with open(self.paths[1], "w") as other:
                other.write("not read")
            lost = sum(self.line("x" * 500) for _ in range(100))
        kept = len(read(self.content()))
        self.assertEqual(kept + lost, 100)
        self.assertLess(len(self.content()), 6000)

    def test_a_full_disk_costs_whole_lines(self):
        """Of some there is room for a part; what follows is found behind the rest of it."""
        room = [20]

        def write(descriptor, data):
            if room[0] == 0:
                raise OSError(errno.ENOSPC, "no room")
            written = os.write(descriptor, data[: room[0]])
            room[0] -= written
            return written

        with mock.patch.object(printed_files, "_write", write):
            self.assertEqual(self.line("half of this"), 0)
            self.assertEqual(self.line("lost"), 1)
            room[0] = 4
            self.assertEqual(self.line("lost too"), 1)
            room[0] = 1000
            self.assertEqual(self.line("kept"), 0)
        self.assertEqual([texts for _kind, (_count, _dropped, texts) in read(self.content())], [[(3, 1, "half of this")], [(3, 1, "kept")]])

    def test_lines_that_cannot_be_counted_as_dropped_are_counted_later(self):
        parts = Parts()
        parts.dropped(7)
        with mock.patch.object(printed_files, "_write", side_effect=OSError(errno.ENOSPC, "no room")):
            self.assertEqual(self.files.write(parts), 7)


if __name__ == "__main__":
    unittest.main()
