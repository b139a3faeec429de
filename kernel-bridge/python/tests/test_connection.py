import socket
import threading
import time
import unittest
from unittest import mock

from burla import BurlaError, ClusterAddress
from burla.cluster import ClusterTarget
from burla.connection import Connection
from burla_protocol import PROTOCOL_VERSION
from burla_protocol.frames import encode_frame


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


class Refused(unittest.TestCase):
    """A main that answers each conversation in its own way."""

    def told(self, *said, limit=None):
        """The errors of a job whose main says this on each connection and is gone; and when each was opened."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        opened = []

        def serve():
            try:
                while True:
                    peer, _ = server.accept()
                    opened.append(time.monotonic())
                    peer.recv(1 << 16)
                    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    for message in ({"type": "hello", "protocolVersion": PROTOCOL_VERSION, "software": "main"}, *said):
                        frame = b"".join(encode_frame(message))
                        peer.sendall(b"%x\r\n%s\r\n" % (len(frame), frame))
                    # What was said is lost with a connection that is closed before all of it was read.
                    peer.shutdown(socket.SHUT_WR)
                    peer.settimeout(5)
                    while peer.recv(1 << 16):
                        pass
                    peer.close()
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        address = ClusterAddress(f"http://127.0.0.1:{server.getsockname()[1]}", "token")
        talker = Listener()
        connection = Connection(ClusterTarget("local", False, False, False, lambda _has_failed: address), talker)
        connection.start()
        connection.join(60)
        self.assertFalse(connection.is_alive())
        return talker.errors, opened

    def test_a_farewell_is_told_and_nothing_is_said_again(self):
        errors, opened = self.told({"type": "farewell", "code": "BURLA_PROTOCOL", "message": "it does not fit", "jobId": None})
        self.assertEqual([(error.code, "it does not fit" in str(error)) for error in errors], [("BURLA_PROTOCOL", True)])
        self.assertEqual(len(opened), 1)

    def test_a_message_that_cannot_be_read_is_an_error_of_burla(self):
        for message in ({"type": "results", "jobId": Listener.job_id}, {"jobId": Listener.job_id}, ["results"], None):
            errors, opened = self.told(message)
            self.assertEqual(([error.code for error in errors], len(opened)), (["BURLA_PROTOCOL"], 1), message)

    def test_a_main_that_is_always_gone_at_once_is_dialled_more_and_more_slowly_and_not_for_ever(self):
        with mock.patch("burla.connection._MAX_RETRY_S", 0.2):
            errors, opened = self.told({"type": "accepted"})
        self.assertEqual([error.code for error in errors], ["BURLA_UNREACHABLE"])
        self.assertEqual(len(opened), 20)
        gaps = [later - earlier for earlier, later in zip(opened, opened[1:])]
        self.assertGreater(min(gaps[-5:]), 0.1)


class Listener:
    job_id = Talker.job_id
    has_begun = True

    def __init__(self):
        self.errors = []

    def connected(self):
        pass

    def message(self, message, _body):
        if message["type"] == "results":
            message["seq"]

    def failed(self, error):
        self.errors.append(error)
