import socket
import threading
import unittest

from burla import BurlaError, ClusterAddress
from burla.cluster import ClusterTarget
from burla.connection import Connection


class Talker:
    job_id = "job-01j9x3k5v7abcdefghj"
    has_begun = True

    def __init__(self):
        self.errors = []

    def connected(self):
        pass

    def failed(self, error):
        self.errors.append(error.code)


class Dialling(unittest.TestCase):
    def setUp(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.server.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """Takes the conversation, and is gone."""
        try:
            while True:
                connection, _ = self.server.accept()
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                connection.close()
        except OSError:
            pass

    def told(self, outcomes):
        """The errors that a job is told of, and the outcomes that are left, when each attempt to find its cluster ends with the next."""
        left = list(outcomes)

        def locate(_has_failed):
            outcome = left.pop(0)
            if outcome == "there":
                return ClusterAddress(f"http://127.0.0.1:{self.server.getsockname()[1]}", "token")
            raise BurlaError(outcome, "no cluster")

        talker = Talker()
        connection = Connection(ClusterTarget("local", False, False, False, locate), talker)
        connection.start()
        connection.join()
        return talker.errors, left

    def test_a_cluster_that_was_there_and_does_not_start_anew_at_once_is_waited_for(self):
        outcomes = ["there", "BURLA_UNREACHABLE", "BURLA_CLUSTER_START", "BURLA_CLUSTER_START", "there", "BURLA_VERSION", "there"]
        self.assertEqual(self.told(outcomes), (["BURLA_VERSION"], ["there"]))

    def test_that_a_cluster_that_was_never_there_does_not_start_is_told_at_once(self):
        self.assertEqual(self.told(["BURLA_CLUSTER_START", "there"]), (["BURLA_CLUSTER_START"], ["there"]))
