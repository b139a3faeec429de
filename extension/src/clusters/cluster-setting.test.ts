import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { nameProblem, normalizeUrl, refsFrom, urlProblem } from "./cluster-setting.ts";

describe("clusters in the settings", () => {
  it("reads those that can be read, each address once", () => {
    const setting = [
      { name: " Team ", url: "https://10.0.0.5:8443/" },
      { name: "Again", url: "https://10.0.0.5:8443/v1/status" },
      { name: "", url: "https://10.0.0.6" },
      { name: "File", url: "file:///etc/passwd" },
      "https://10.0.0.7",
      null,
    ];
    assert.deepEqual(refsFrom(setting), [{ id: "https://10.0.0.5:8443", label: "Again", kind: "address", url: "https://10.0.0.5:8443" }]);
    assert.deepEqual(refsFrom("nonsense"), []);
    assert.deepEqual(refsFrom(undefined), []);
  });

  it("keeps passwords out of addresses", () => {
    assert.equal(normalizeUrl("https://user:secret@example.org/x?token=1"), "https://example.org");
  });

  it("sends a token over an unencrypted line to this machine only", () => {
    assert.equal(urlProblem("http://127.0.0.1:4000"), null);
    assert.equal(urlProblem("http://localhost:4000"), null);
    assert.equal(urlProblem("https://example.org"), null);
    assert.match(urlProblem("http://example.org") ?? "", /unencrypted/);
    assert.match(urlProblem("example.org") ?? "", /address/);
  });

  it("wants a name of some length", () => {
    assert.equal(nameProblem("Team"), null);
    assert.notEqual(nameProblem("  "), null);
    assert.notEqual(nameProblem("x".repeat(65)), null);
  });
});
