"""The same cases as in `protocol/src/bundle-id.test.ts`."""

import json
import unittest
from pathlib import Path

from burla.bundle_id import bundle_id

CASES = json.loads((Path(__file__).resolve().parents[3] / "protocol" / "src" / "bundle-id.cases.json").read_text("utf-8"))


class BundleIds(unittest.TestCase):
    def test_both_languages_name_a_bundle_alike(self):
        for case in CASES:
            with self.subTest(case["id"]):
                self.assertEqual(bundle_id(case["runtime"], case["externals"], case["code"].encode()), case["id"])
