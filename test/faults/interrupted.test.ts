/** A job whose program has died stays interrupted, whatever becomes of main: nothing of it runs until somebody attaches. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLIENT_GRACE_MS } from "@burla/protocol";
import { attach } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce } from "../support/inputs.ts";
import { isRunning } from "../support/processes.ts";
import { Script } from "../support/script.ts";
import { pause, until } from "../support/until.ts";

const cluster = useCluster();
const INPUTS = 6;
/** Longer than an earlier program would have to come back. */
const LONGER_THAN_GRACE_MS = CLIENT_GRACE_MS + 2000;

async function killMain(): Promise<void> {
  const { pid } = cluster.main;
  process.kill(pid, "SIGKILL");
  // Whoever is attached may have started another by then.
  await until("main is gone", () => !isRunning(pid));
}

/** Calls wait for the file `gate`, all but the first; each adds its input to the file `calls`. */
const PROGRAM = `
  import { appendFileSync, existsSync } from "node:fs";
  const [calls, gate] = process.argv.slice(2);
  const stream = remoteParallelMap(async (x) => {
    appendFileSync(calls, x + "\\n");
    while (x > 0 && !existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 20));
    return x;
  }, Array.from({ length: ${INPUTS} }, (_, x) => x));
  console.log(stream.jobId);
  for await (const x of stream) console.log("result", x);
`;

/** A job of which the first input is answered and another one has begun, and whose program is dead. */
async function interruptedJob(name: string) {
  const [calls, gate] = [join(cluster.home, `${name}.calls`), join(cluster.home, `${name}.gate`)];
  const script = Script.start(cluster, PROGRAM, { args: [calls, gate] });
  const jobId = await script.line(/^(job-\w+)/);
  const begun = () => readFileSync(calls, "utf8").trimEnd().split("\n").map(Number);
  await script.line(/^result 0/);
  await until("a call waits", () => begun().length > 1);
  await until("main has all inputs", async () => (await cluster.job(jobId)).inputsEnded);
  script.kill();
  await script.ended();
  await until("the job is interrupted", async () => (await cluster.job(jobId)).phase === "interrupted");
  return { jobId, begun, open: () => writeFileSync(gate, "") };
}

for (const [what, end] of [["killed", killMain], ["shut down", () => cluster.shutdown()]] as const) {
  test(`main is ${what} while a job is interrupted: the next main runs nothing of it until somebody attaches, then all of it`, async () => {
    const { jobId, begun, open } = await interruptedJob(what.replace(" ", "-"));
    const before = begun();
    await end();
    await cluster.start();
    assert.equal((await cluster.job(jobId)).phase, "interrupted");
    await pause(LONGER_THAN_GRACE_MS);
    assert.deepEqual(begun(), before, "no call has begun");
    const { phase, done, running } = await cluster.job(jobId);
    assert.deepEqual({ phase, done, running }, { phase: "interrupted", done: 1, running: 0 });

    open();
    assertEachOnce(await attach<number>(jobId).toArray(), INPUTS);
    assert.equal(begun().filter((x) => x === 0).length, 1, "what was answered is not called again");
    assert.equal((await cluster.job(jobId)).phase, "done");
  });
}

test("main is killed after somebody has attached: the job goes on", async () => {
  const { jobId, begun, open } = await interruptedJob("attached");
  const before = begun().length;
  const results = attach<number>(jobId).toArray();
  await until("its calls have begun again", () => begun().length > before);
  await killMain();
  open();
  assertEachOnce(await results, INPUTS);
  assert.equal((await cluster.job(jobId)).phase, "done");
});
