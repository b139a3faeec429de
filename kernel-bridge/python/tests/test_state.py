import unittest

from burla.options import Progress
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


if __name__ == "__main__":
    unittest.main()
