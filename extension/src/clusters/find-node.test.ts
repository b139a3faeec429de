import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { findNode, pathOf } from "./find-node.ts";

describe("the user's own Node.js", () => {
  it("is taken when it is new enough", () => {
    assert.equal(pathOf("v20.19.0 /usr/bin/node"), "/usr/bin/node");
    assert.equal(pathOf("v24.1.0 C:\\Program Files\\nodejs\\node.exe"), "C:\\Program Files\\nodejs\\node.exe");
    assert.equal(pathOf("v20.18.3 /usr/bin/node"), undefined);
    assert.equal(pathOf("v18.20.0 /usr/bin/node"), undefined);
    assert.equal(pathOf("command not found"), undefined);
  });

  it("is found in PATH", async () => {
    assert.match((await findNode()) ?? "", /node/);
  });
});
