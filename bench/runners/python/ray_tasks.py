"""Ray with remote functions: one task per call."""

import itertools
import os
import signal

import ray

from driver import drive

# Ray's guide on limiting pending tasks asks for a window: to wait for one of n tasks costs n.
PENDING_LIMIT = 1_000


class RayTasks:
    def start(self, address, _bounded):
        self.pending = []
        ray.init(address=address)

    def address(self):
        return ray.get_runtime_context().gcs_address

    def collect(self, fn, inputs):
        remote = ray.remote(fn)
        return ray.get([remote.remote(each) for each in inputs])

    def stream(self, fn, inputs):
        remote = ray.remote(fn)
        rest = iter(inputs)
        self.pending = [remote.remote(each) for each in itertools.islice(rest, PENDING_LIMIT)]
        while self.pending:
            done, self.pending = ray.wait(self.pending)
            self.pending.extend(remote.remote(each) for each in itertools.islice(rest, len(done)))
            yield from ray.get(done)

    def cancel(self):
        for ref in self.pending:
            ray.cancel(ref)

    def kill_worker(self, pid):
        os.kill(pid, signal.SIGKILL)

    def stop(self):
        ray.shutdown()


if __name__ == "__main__":
    drive(RayTasks())
