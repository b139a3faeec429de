import unittest

from burla.options import LogLine, Progress
from burla_kernel import state


def progress(workers, nodes):
    return Progress(job_id="j", phase="running", reason="", nodes=nodes, workers=workers, pushed=4, running=1, done=1, failed=0, total=4, lost_workers=0)


class Workers(unittest.TestCase):
    def test_a_job_that_gives_its_workers_back_one_by_one_had_all_of_them(self):
        made = state.RunState(name="f", cluster="local", how="map")
        for workers, nodes in ((1, 1), (4, 2), (1, 1)):
            made.hear_progress(progress(workers, nodes))
            self.assertEqual((made.workers, made.nodes), (workers, nodes))
        made.hear_progress(progress(0, 0))
        self.assertEqual((made.workers, made.nodes), (4, 2))
        made.hear_progress(progress(1, 1))
        made.end("done")
        self.assertEqual((made.workers, made.nodes), (4, 2))


class Lines(unittest.TestCase):
    def test_a_line_that_is_written_over_is_one_line_which_is_replaced_and_erased_it_is_gone(self):
        made = state.RunState(name="f", cluster="local", how="map")

        def say(index, stream, text):
            made.hear_line(LogLine(index=index, origin="call", stream=stream, text=text, time=0.0, node="n"))

        for at in range(1000):
            for index in (0, 1):
                say(index, "stderr", f"{at}%\r")
        say(0, "stdout", "line")
        self.assertEqual(made.document()["log"], {"lines": [[0, 2, "999%"], [1, 2, "999%"], [0, 1, "line"]], "total": 3, "dropped": 0})
        say(0, "stderr", "done")
        say(0, "stderr", "more")
        say(1, "stderr", "   ")
        self.assertEqual(made.document()["log"], {"lines": [[0, 2, "done"], [0, 1, "line"], [0, 2, "more"]], "total": 3, "dropped": 0})


class Pictures(unittest.TestCase):
    def test_results_that_are_pictures_have_a_small_one(self):
        class Shows:
            def _repr_png_(self):
                return b"\x89PNG\r\n\x1a\n" + bytes(100)

        class Fails:
            def _repr_png_(self):
                raise ValueError

        made = state.RunState(name="f", cluster="local", how="map")
        for index, value in enumerate((Shows(), Fails(), b"\xff\xd8\xff\xe0", b"GIF8" + bytes(20_000), Shows)):
            made.hear_value(index, value)
        pictures = [sample.get("picture", "") for sample in made.document()["samples"]]
        self.assertEqual([picture[:22] for picture in pictures], ["data:image/png;base64,", "", "data:image/jpeg;base64", "", ""])


if __name__ == "__main__":
    unittest.main()
