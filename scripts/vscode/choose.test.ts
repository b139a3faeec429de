import assert from "node:assert/strict";
import { test } from "node:test";
import { choose } from "./choose.ts";

test("an executable that is named is used everywhere", () => {
  for (const platform of ["linux", "darwin", "win32"] as const) {
    assert.deepEqual(choose({ platform, environment: { VSCODE_EXECUTABLE: "/opt/code" } }), { kind: "given", executable: "/opt/code" });
  }
});

test("the desktop's is downloaded where it can open a window", () => {
  assert.equal(choose({ platform: "darwin", environment: {} }).kind, "download");
  assert.equal(choose({ platform: "win32", environment: { VSCODE_EXECUTABLE: "" } }).kind, "download");
  assert.equal(choose({ platform: "linux", environment: { DISPLAY: ":0" } }).kind, "download");
  assert.equal(choose({ platform: "linux", environment: { WAYLAND_DISPLAY: "wayland-0" } }).kind, "download");
});

test("a machine without a display gets the server", () => {
  assert.equal(choose({ platform: "linux", environment: {} }).kind, "stand-in");
  assert.equal(choose({ platform: "linux", environment: { DISPLAY: "" } }).kind, "stand-in");
});
