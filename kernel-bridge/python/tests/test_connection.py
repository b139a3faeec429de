import unittest

from burla import BurlaError
from burla.cluster import ClusterTarget
from burla.connection import Connection


class Talker:
    job_id = "job-01j9x3k5v7abcdefghj"

    def __init__(self, has_begun):
        self.has_begun = has_begun
        self.errors = []

    def failed(self, error):
        self.errors.append(error.code)


class Dialling(unittest.TestCase):
    def told(self, codes, has_begun):
        """The errors that a job is told of, when each attempt to find its cluster fails with the next of these codes."""
        left = list(codes)

        def locate(_has_failed):
            raise BurlaError(left.pop(0), "no cluster")

        talker = Talker(has_begun)
        connection = Connection(ClusterTarget("local", False, False, locate), talker)
        connection.start()
        connection.join()
        return talker.errors, left

    def test_a_job_that_has_begun_waits_for_a_cluster_that_does_not_start_at_once(self):
        codes = ["BURLA_UNREACHABLE", "BURLA_CLUSTER_START", "BURLA_CLUSTER_START", "BURLA_VERSION", "BURLA_UNREACHABLE"]
        self.assertEqual(self.told(codes, True), (["BURLA_VERSION"], ["BURLA_UNREACHABLE"]))

    def test_a_job_that_has_not_begun_is_told_at_once(self):
        self.assertEqual(self.told(["BURLA_CLUSTER_START", "BURLA_UNREACHABLE"], False), (["BURLA_CLUSTER_START"], ["BURLA_UNREACHABLE"]))
