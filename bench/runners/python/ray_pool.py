"""Ray with its pool in the manner of multiprocessing."""

import os
import signal

import ray
from ray.util.multiprocessing import Pool

from driver import drive


class RayPool:
    def start(self, address, _bounded):
        ray.init(address=address)
        self.pool = Pool()

    def address(self):
        return ray.get_runtime_context().gcs_address

    def collect(self, fn, inputs):
        return self.pool.map(fn, inputs)

    def stream(self, fn, inputs):
        yield from self.pool.imap_unordered(fn, inputs)

    def cancel(self):
        self.pool.terminate()

    def kill_worker(self, pid):
        os.kill(pid, signal.SIGKILL)

    def stop(self):
        ray.shutdown()


if __name__ == "__main__":
    drive(RayPool())
