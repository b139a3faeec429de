"""joblib: worker processes of its own, batches that adapt by themselves."""

import os
import signal

from joblib import Parallel, delayed

from driver import drive


class Joblib:
    def start(self, _address, _bounded):
        """Nothing to make: the workers start with the first call and are kept."""

    def collect(self, fn, inputs):
        return Parallel(n_jobs=-1)(delayed(fn)(each) for each in inputs)

    def stream(self, fn, inputs):
        yield from Parallel(n_jobs=-1, return_as="generator_unordered")(delayed(fn)(each) for each in inputs)

    def cancel(self):
        """Closing the generator, which the driver has done, is the way to cancel."""

    def kill_worker(self, pid):
        os.kill(pid, signal.SIGKILL)

    def stop(self):
        """The workers end with this process."""


if __name__ == "__main__":
    drive(Joblib())
