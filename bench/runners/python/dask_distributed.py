"""Dask with its local cluster: one future per call."""

import os
import signal

from distributed import Client, as_completed

from driver import drive


class Dask:
    def start(self, address, _bounded):
        self.futures = []
        self.client = Client(address) if address else Client()

    def address(self):
        return self.client.scheduler.address

    def collect(self, fn, inputs):
        return self.client.gather(self.client.map(fn, list(inputs), pure=False))

    def stream(self, fn, inputs):
        self.futures = self.client.map(fn, list(inputs), pure=False)
        for _, result in as_completed(self.futures, with_results=True):
            yield result

    def cancel(self):
        self.client.cancel(self.futures)

    def kill_worker(self, pid):
        os.kill(pid, signal.SIGKILL)

    def stop(self):
        self.client.close()


if __name__ == "__main__":
    drive(Dask())
