import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from burla import BurlaError
from burla.cluster import resolve_cluster
from burla_protocol import PROTOCOL_VERSION

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


class Certificates(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)

    def located(self, option=None, **variables):
        with mock.patch.dict(os.environ, {"BURLA_HOME": str(self.home), **variables}):
            return resolve_cluster(option).locate(False)

    def test_a_cluster_by_name_is_known_by_the_certificate_of_its_file(self):
        folder = self.home / "clusters" / "trial"
        folder.mkdir(parents=True)
        for certificate in (PEM, None):
            file = {"url": "https://10.0.0.1:7443", "token": "t", "certificate": certificate, "protocolVersion": PROTOCOL_VERSION}
            (folder / "cluster.json").write_text(json.dumps(file), "utf-8")
            self.assertEqual(self.located("trial").certificate, certificate)

    def test_a_cluster_by_address_is_known_by_the_variable_its_text_or_its_file(self):
        file = self.home / "main.pem"
        file.write_text(PEM, "ascii")
        for variable in (PEM, str(file)):
            self.assertEqual(self.located("https://10.0.0.1", BURLA_TOKEN="t", BURLA_CERTIFICATE=variable).certificate, PEM)
            self.assertEqual(self.located(BURLA_URL="https://10.0.0.1", BURLA_JOB_TOKEN="t", BURLA_CERTIFICATE=variable).certificate, PEM)
        self.assertIsNone(self.located("https://10.0.0.1", BURLA_TOKEN="t", BURLA_CERTIFICATE="").certificate)

    def test_a_certificate_that_is_not_there_is_told(self):
        with self.assertRaisesRegex(BurlaError, "the certificate cannot be read"):
            self.located("https://10.0.0.1", BURLA_TOKEN="t", BURLA_CERTIFICATE=str(self.home / "none.pem"))
