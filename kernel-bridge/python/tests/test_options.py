import unittest

from burla import ClusterAddress, remote_parallel_map
from burla.options import compile_map_options

DEFAULTS = {
    "cpu": 1, "ram": None, "image": None, "grow": 0, "max_parallelism": None, "concurrency": 1, "lookahead": None, "order": "completion", "on_error": "throw", "retries": 0,
    "timeout_s": None, "setup": None, "setup_timeout_s": 600, "detach": False, "name": None, "env": None, "on_log": None, "progress": False, "cluster": None,
}  # fmt: skip


def compiled(**options):
    return compile_map_options({**DEFAULTS, **options})


class Options(unittest.TestCase):
    def test_memory_is_a_number_of_gib_or_text(self):
        for ram, mib in ((2, 2048), (0.5, 512), ("512 MiB", 512), ("2gb", 2048), (None, None)):
            self.assertEqual(compiled(ram=ram).ram_mib, mib)

    def test_what_cannot_be_names_the_option_and_what_it_may_be(self):
        wrong = {
            "cpu": [0, "1", None, float("nan")], "ram": [0, -1, "a lot", True], "grow": [-1, 1001, 0.5, True], "max_parallelism": [0, 1.5, True], "concurrency": [0, 1_000_000], "lookahead": [0, 1.5, True],
            "order": ["random"], "on_error": ["ignore"], "retries": [-1, 1001], "timeout_s": [0, -1, float("-inf"), "1"], "setup": ["f", 1], "detach": [1, "yes"],
            "name": ["", "x" * 300, 5], "env": [{"A": 1}, {"": "x"}, {"A=B": "x"}, ["A"], {"A": "\0"}], "on_log": [1], "progress": [None, "bar"],
            "cluster": ["No Name", "http://user:pass@host", 5, {"url": "http://x"}, ClusterAddress("nowhere", "t")],
        }  # fmt: skip
        for option, values in wrong.items():
            for value in values:
                with self.subTest(option=option, value=value), self.assertRaisesRegex(TypeError, f"the option '{option}' must"):
                    compiled(**{option: value})

    def test_calls_at_once_in_a_worker_are_no_more_than_in_all(self):
        self.assertEqual(compiled(concurrency=50, max_parallelism=8).concurrency, 8)

    def test_no_limit_may_be_said_so(self):
        self.assertEqual((compiled(max_parallelism=float("inf")).max_parallelism, compiled(max_parallelism=float("inf"), concurrency=9).concurrency), (None, 9))
        self.assertIsNone(compiled(lookahead=float("inf")).lookahead)

    def test_what_nobody_reads_is_not_pulled_by_what_was_read(self):
        with self.assertRaisesRegex(TypeError, "detach"):
            compiled(lookahead=3, detach=True)

    def test_nodes_are_added_only_when_they_are_asked_for(self):
        self.assertEqual((compiled().grow, compiled(grow=5).grow), (0, 5))

    def test_a_token_is_not_shown(self):
        self.assertNotIn("secret", repr(ClusterAddress("http://x", "secret")))


class Arguments(unittest.TestCase):
    def test_nothing_starts_with_what_cannot_be(self):
        def generator(x):
            yield x

        async def numbers():
            yield 1

        for function, inputs, message in (
            (5, [], "must be a function, not 5"),
            (generator, [], "return a list instead of yielding"),
            (len, 5, "must be iterable"),
            (len, numbers(), "async generator"),
        ):
            with self.assertRaisesRegex(TypeError, message):
                remote_parallel_map(function, inputs)
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument"):
            remote_parallel_map(len, [], cpus=2)


if __name__ == "__main__":
    unittest.main()
