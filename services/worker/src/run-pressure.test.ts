/** A node that takes no answers: the worker begins no further call, and goes on when it does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeValues, MAX_WAITING_ANSWER_BYTES, type WorkerToNode } from "@burla/protocol";
import type { Output } from "./output.ts";
import { Runner, type AnswerLine } from "./run.ts";

const MIB = 1 << 20;

class StuckLine implements AnswerLine {
  unsentBytes = 0;
  readonly sent: WorkerToNode[] = [];
  #wake: (() => void)[] = [];

  send(message: WorkerToNode, ...body: { byteLength: number }[]): void {
    this.sent.push(message);
    for (const { byteLength } of body) this.unsentBytes += byteLength;
  }

  flush(): void {}

  drained(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  take(): void {
    this.unsentBytes = 0;
    for (const wake of this.#wake.splice(0)) wake();
  }
}

const silent = { run: (_call: unknown, body: (a: unknown, b: unknown) => unknown, a: unknown, b: unknown) => body(a, b), begin: () => undefined, announce: () => undefined, current: () => undefined, log: () => undefined, ended: () => undefined, flush: () => undefined, end: () => undefined } as unknown as Output;

test("calls wait for a node that takes no answers, and none is lost", async () => {
  const line = new StuckLine();
  const runner = new Runner(line, silent);
  let calls = 0;
  const [grants, each] = [20, 100];
  const count = grants * each;
  runner.begin(() => {
    calls++;
    return Buffer.alloc(MIB);
  }, { concurrency: 1, timed: false, takesContext: true, worker: undefined });
  const chunk = Buffer.from(encodeValues(Array.from({ length: each }, (_, at) => at)));
  for (let grantId = 1; grantId <= grants; grantId++) runner.enqueue({ type: "run", grantId, first: grantId * each, from: 0, to: each, attempt: 1 }, chunk);
  let before = -1;
  while (calls !== before) {
    before = calls;
    await sleep(200);
  }
  assert.ok(calls < count, "all calls were made");
  assert.ok(line.unsentBytes > MAX_WAITING_ANSWER_BYTES && line.unsentBytes < MAX_WAITING_ANSWER_BYTES + 128 * MIB, `${line.unsentBytes} bytes wait`);
  const settled = () => line.sent.reduce((sum, message) => sum + (message.type === "workerResults" ? message.count : message.type === "givenBack" ? each - message.from : 0), 0);
  for (let turn = 0; turn < 1000 && settled() < count; turn++) {
    line.take();
    await sleep(20);
  }
  assert.equal(settled(), count, "each input was answered or given back");
});
