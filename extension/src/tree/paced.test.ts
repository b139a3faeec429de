import { describe, it, mock } from "node:test";
import assert from "node:assert/strict";
import { paced } from "./paced.ts";

describe("paced calls", () => {
  it("carries out the first of a burst at once and the last after the pause", () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      let acts = 0;
      const { request, dispose } = paced(() => acts++, 250);
      for (let times = 0; times < 5; times++) request();
      assert.equal(acts, 1);
      mock.timers.tick(250);
      assert.equal(acts, 2);
      mock.timers.tick(1000);
      assert.equal(acts, 2);
      request();
      assert.equal(acts, 3);
      request();
      dispose();
      mock.timers.tick(1000);
      assert.equal(acts, 3);
    } finally {
      mock.timers.reset();
    }
  });
});
