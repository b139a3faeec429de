import contextlib
import io
import unittest

from burla.options import Progress, compile_map_options
from burla.output import JobOutput
from test_options import DEFAULTS


def progress(done, phase="running", reason=""):
    return Progress(job_id="j", phase=phase, reason=reason, nodes=1, workers=1, pushed=4, running=1, done=done, failed=0, total=4, lost_workers=0)


class PlainOutput(unittest.TestCase):
    def test_without_a_terminal_a_line_comes_when_a_job_waits_or_goes_on_and_at_the_end(self):
        printed = io.StringIO()
        with contextlib.redirect_stderr(printed):
            output = JobOutput("name", compile_map_options({**DEFAULTS, "progress": True}))
            waits = progress(0, "waiting", "waits for a node")
            for each in (waits, waits, progress(0, "waiting", "waits for a job"), progress(1), progress(2)):
                output.progress(each)
            output.end()
        self.assertEqual([line.split("  ")[1][-15:] for line in printed.getvalue().splitlines()], ["waits for a node"[-15:], "waits for a job", "╌╌╌╌╌╌╌╌╌╌╌ 1/4", "╌╌╌╌╌╌╌╌╌╌╌ 2/4"])
