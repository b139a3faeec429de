"""Tracebacks of other processes: each entry has the place that it had there, for all who ask for it."""

from __future__ import annotations

import inspect
import linecache
import pathlib
import sys
import traceback
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parents[3] / "protocol/python")]

from burla.remote_traceback import attach_frames  # noqa: E402

FILE = "<there>"
LINES = ["import time", "", "@decorated", "def score(x):", *["    x += 1"] * 200, "    return 1 // x", "", "score(-200)"]
RAISES = LINES.index("    return 1 // x") + 1


class RemoteTracebackTest(unittest.TestCase):
    def setUp(self) -> None:
        text = "\n".join(LINES)
        linecache.cache[FILE] = (len(text), None, text.splitlines(True), FILE)
        self.addCleanup(linecache.cache.pop, FILE)
        self.error = ZeroDivisionError("no")
        attach_frames(self.error, [(FILE, len(LINES), "<module>"), (FILE, RAISES, "score"), (FILE, 1, "gone")])

    def test_lines_and_sources(self) -> None:
        shown = [(frame.lineno, frame.name, frame.line) for frame in traceback.extract_tb(self.error.__traceback__)]
        self.assertEqual(shown, [(len(LINES), "<module>", "score(-200)"), (RAISES, "score", "return 1 // x"), (1, "gone", "import time")])

    def test_a_function_begins_where_it_begins(self) -> None:
        frames = [frame for frame, _line in traceback.walk_tb(self.error.__traceback__)]
        if sys.version_info >= (3, 11):
            # Some number the lines of a function by its first one.
            self.assertEqual([frame.f_code.co_firstlineno for frame in frames], [1, 4, 1])
            self.assertEqual([frame.f_lineno for frame in frames], [len(LINES), RAISES, 1])
        self.assertEqual(inspect.getsourcelines(frames[1])[0][0].strip(), "def score(x):")


if __name__ == "__main__":
    unittest.main()
