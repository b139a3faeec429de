import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as v from "valibot";
import {
  clientToMain, encodeFrame, FrameDecoder, mainToClient, mainToNode, nodeToMain, nodeToWorker, workerToNode,
} from "@burla/protocol";
import { breakagesOf, messagesOf, valuesOf } from "./arbitrary.ts";

const UNIONS = { clientToMain, mainToClient, nodeToMain, mainToNode, nodeToWorker, workerToNode };

function overTheWire(header: unknown): unknown {
  const [frame] = new FrameDecoder().push(Buffer.concat(encodeFrame(header, [])));
  return frame?.header;
}

for (const [name, union] of Object.entries(UNIONS)) {
  for (const [type, schema] of messagesOf(union)) {
    test(`${name}: every ${type} arrives as it was sent`, () => {
      fc.assert(
        fc.property(valuesOf(schema), (message) => {
          assert.deepEqual(v.parse(union, overTheWire(message)), message);
        }),
        { numRuns: 50 },
      );
    });

    test(`${name}: no ${type} with a field missing, of another type or over its cap is accepted`, () => {
      const [message] = fc.sample(valuesOf(schema), { numRuns: 1, seed: 7 });
      assert.ok(v.is(union, message));
      for (const { how, broken } of breakagesOf(schema, message)) {
        assert.ok(!v.is(union, broken), `${type} is accepted although ${how}`);
      }
    });
  }
}

test("what a message does not name is not passed on", () => {
  assert.deepEqual(v.parse(clientToMain, { type: "ping", extra: 1 }), { type: "ping" });
});

test("a message is accepted only in its own direction", () => {
  for (const [name, union] of Object.entries(UNIONS)) {
    const own = messagesOf(union);
    for (const [other, others] of Object.entries(UNIONS)) {
      for (const [type, schema] of messagesOf(others)) {
        if (own.has(type)) continue;
        const [message] = fc.sample(valuesOf(schema), { numRuns: 1, seed: 7 });
        assert.ok(!v.is(union, message), `${name} accepts ${type} of ${other}`);
      }
    }
  }
});
