"""Code that takes too long is ended, or left behind, and nothing else is."""

import signal
import sys
import threading
import time
import types
import unittest

from burla.limits import Helper, Watch
from burla_protocol.interrupts import TookTooLong

LIMIT_S = 0.15


def spin():
    while True:
        pass


def spin_and_catch():
    while True:
        try:
            raise ValueError
        except Exception:
            pass


def sleep():
    time.sleep(60)


class WatchTest(unittest.TestCase):
    def setUp(self):
        self.watch = Watch()

    def test_what_comes_in_time_comes_as_it_is(self):
        self.assertEqual(self.watch.run(lambda: 5, LIMIT_S), 5)
        with self.assertRaises(ZeroDivisionError):
            self.watch.run(lambda: 1 // 0, LIMIT_S)

    def test_the_main_thread_is_interrupted_in_python_and_in_c(self):
        for hang in (spin, spin_and_catch, sleep):
            with self.subTest(hang.__name__), self.assertRaises(TookTooLong):
                self.watch.run(hang, LIMIT_S)

    def test_another_thread_is_interrupted_in_python(self):
        raised = []

        def run():
            try:
                self.watch.run(spin, LIMIT_S)
            except TookTooLong as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(30)
        self.assertEqual(len(raised), 1)

    def test_a_handler_of_ctrl_c_hears_nothing_of_it(self):
        heard = []
        before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
        try:
            with self.assertRaises(TookTooLong):
                self.watch.run(lambda: time.sleep(1), LIMIT_S)
        finally:
            signal.signal(signal.SIGINT, before)
        self.assertEqual(heard, [])

    def test_ctrl_c_is_ctrl_c(self):
        timer = threading.Timer(0.1, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            self.watch.run(sleep, 30)

    def test_what_ends_at_the_limit_is_interrupted_there_or_not_at_all(self):
        """Never later: an exception that came too late would show here."""
        watch, counts = self.watch, {"in time": 0, "too late": 0}
        for at in range(60):
            until = time.monotonic() + 0.03 + at % 10 * 0.002

            def work():
                while time.monotonic() < until:
                    pass

            try:
                watch.run(work, 0.03)
                counts["in time"] += 1
            except TookTooLong:
                counts["too late"] += 1
            for _ in range(1000):
                pass
        self.assertEqual(sum(counts.values()), 60)
        self.assertGreater(counts["too late"], 0)

    def test_an_import_is_not_interrupted(self):
        self.assertEqual(self.watch.run(lambda: _import_slowly(self), 0.05), "loaded")

    def test_the_watcher_ends_when_it_has_nothing_to_watch(self):
        self.watch.run(lambda: 5, LIMIT_S)
        watcher = self.watch._watcher
        watcher.join(30)
        self.assertFalse(watcher.is_alive())
        with self.assertRaises(TookTooLong):
            self.watch.run(spin, LIMIT_S)


class HelperTest(unittest.TestCase):
    def setUp(self):
        self.helper = Helper()
        self.addCleanup(self.helper.end)

    def test_what_comes_in_time_comes_as_it_is(self):
        self.assertEqual(self.helper.run(lambda: 5, 30), 5)
        with self.assertRaises(ZeroDivisionError):
            self.helper.run(lambda: 1 // 0, 30)

    def test_what_takes_too_long_is_left_behind_and_told_with_its_place(self):
        for hang in (spin, sleep):
            with self.subTest(hang.__name__), self.assertRaisesRegex(TookTooLong, f"in {hang.__name__}, .*test_limits.py:"):
                self.helper.run(hang, LIMIT_S)
        self.assertEqual(self.helper.run(lambda: "next", 30), "next")

    def test_one_that_was_left_behind_ends(self):
        threads = []

        def hang():
            threads.append(threading.current_thread())
            spin()

        with self.assertRaises(TookTooLong):
            self.helper.run(hang, LIMIT_S)
        threads[0].join(30)
        self.assertFalse(threads[0].is_alive())

    def test_an_import_is_waited_for(self):
        self.assertEqual(self.helper.run(lambda: _import_slowly(self), 0.05), "loaded")


def _import_slowly(case):
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name != "slow_module_of_test":
                return None
            from importlib.machinery import ModuleSpec

            return ModuleSpec(name, Finder)

        @staticmethod
        def create_module(spec):
            return types.ModuleType(spec.name)

        @staticmethod
        def exec_module(module):
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                pass
            module.state = "loaded"

    sys.meta_path.insert(0, Finder)
    try:
        import slow_module_of_test

        return slow_module_of_test.state
    finally:
        sys.meta_path.remove(Finder)
        sys.modules.pop("slow_module_of_test", None)


if __name__ == "__main__":
    unittest.main()
