import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { newJobId, newWorkerId, type NodeToMain, type Of } from "@burla/protocol";
import { NodeStatus, type Seen } from "./node-status.ts";

type Slots = Seen["slots"];
const jobId = newJobId();

function statusOf(seen: { -readonly [Key in keyof Seen]: Seen[Key] }) {
  const told: Of<NodeToMain, "nodeState">[] = [];
  return { status: new NodeStatus({ look: () => seen, send: (message) => void told.push(message) }), told };
}

function slotIn(state: string): Slots[number] {
  return { workerId: newWorkerId(), kind: "node", image: null, state, jobId, container: { pid: 7 } as Slots[number]["container"] };
}

test("what the runtime waits for is the reason before all else, then what a job waits for, then the state's own", () => {
  const seen = { slots: [], groups: [{ jobId, preparing: "installs x" }], trouble: "waits for the engine" };
  const { status, told } = statusOf(seen);
  status.enter("RUNNING", "a job");
  seen.trouble = "";
  status.tell();
  seen.groups = [{ jobId, preparing: "" }];
  status.tell();
  assert.deepEqual(told.map(({ reason }) => reason), ["waits for the engine", "installs x", "a job"]);
  assert.deepEqual(told.map(({ preparing }) => preparing), [[{ jobId, text: "installs x" }], [{ jobId, text: "installs x" }], []]);
});

test("who is busy is told once for many changes, and not when all is as it was", (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const idle = slotIn("idle");
  const seen = { slots: [idle], groups: [], trouble: "" };
  const { status, told } = statusOf(seen);
  status.enter("RUNNING", "");
  for (let change = 0; change < 3; change++) {
    seen.slots = [{ ...idle, state: "busy" }];
    status.tellSoon();
  }
  assert.equal(told.length, 1);
  mock.timers.tick(1_000);
  assert.deepEqual(told.map(({ workers }) => workers[0]?.state), ["idle", "busy"]);
  seen.slots = [idle];
  status.tellSoon();
  seen.slots = [{ ...idle, state: "busy" }];
  mock.timers.tick(1_000);
  assert.equal(told.length, 2);
  status.tellSoon();
  seen.slots = [idle];
  status.close();
  mock.timers.tick(1_000);
  assert.equal(told.length, 2, "nothing is told after its end");
});

test("reasons have an end", () => {
  const { status, told } = statusOf({ slots: [], groups: [{ jobId, preparing: "p".repeat(9_999) }], trouble: "t".repeat(9_999) });
  status.tell();
  assert.deepEqual([told[0]?.reason.length, told[0]?.preparing[0]?.text.length], [1000, 500]);
});
