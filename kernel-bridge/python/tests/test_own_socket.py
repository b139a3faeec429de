import os
import socket
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from burla import BurlaError
from burla.own_socket import check_own_socket, socket_of_url, socket_url


class OwnSockets(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        self.folder = self.home / "sockets"
        self.folder.mkdir(mode=0o700)
        self.path = self.folder / "main.sock"
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(str(self.path))

    def refused(self, reason):
        with self.assertRaisesRegex(BurlaError, reason) as caught:
            check_own_socket(str(self.path))
        self.assertEqual(caught.exception.code, "BURLA_UNREACHABLE")

    def test_one_of_ones_own_is_taken(self):
        check_own_socket(str(self.path))

    def test_a_folder_that_is_open_to_others_is_refused(self):
        for mode in (0o777, 0o770, 0o702):
            self.folder.chmod(mode)
            self.refused("open to others")

    def test_links_are_refused(self):
        elsewhere = self.home / "elsewhere"
        self.path.rename(elsewhere)
        self.path.symlink_to(elsewhere)
        self.refused("is no socket")
        moved = self.home / "moved"
        self.folder.rename(moved)
        self.folder.symlink_to(moved)
        self.refused("is no folder")

    def test_a_file_and_nothing_at_all_are_refused(self):
        self.path.unlink()
        self.refused("is not there")
        self.path.write_text("")
        self.refused("is no socket")
        self.path.unlink()
        self.folder.rmdir()
        self.refused("is not there")

    def test_what_belongs_to_another_user_is_refused(self):
        with mock.patch.object(os, "getuid", lambda: self.path.lstat().st_uid + 1):
            self.refused("belongs to another user")

    def test_a_url_stands_for_a_path(self):
        for path in ("/tmp/a b/é%2F.sock", str(self.path)):
            self.assertEqual(socket_of_url(socket_url(path)), path)
        self.assertIsNone(socket_of_url("http://127.0.0.1:1"))
