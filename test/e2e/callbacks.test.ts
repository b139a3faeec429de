/** Failures on the user's own side: of callbacks, of promises among the inputs. None may become an unhandled one. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { attach, remoteParallelMap, type MapOptions } from "burla";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";

const cluster = useCluster();

const failures: [string, MapOptions][] = [
  ["onLog throws", { onLog: () => { throw new RangeError("mine"); } }],
  ["onLog rejects", { onLog: async () => { await Promise.resolve(); throw new RangeError("mine"); } }],
  ["progress throws", { progress: () => { throw new RangeError("mine"); } }],
  ["progress rejects", { progress: async () => { await Promise.resolve(); throw new RangeError("mine"); } }],
];
for (const [title, options] of failures) {
  test(`when ${title} the job is cancelled, that error is thrown, and the connection stays`, async () => {
    const stops = async (x: number, { signal }: { signal: AbortSignal }) => {
      console.log("called");
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
      return x;
    };
    const results = remoteParallelMap(stops, [1], options);
    await assert.rejects(results.toArray(), (error: Error) => error instanceof RangeError && error.message === "mine");
    assert.equal((await cluster.job(results.jobId)).phase, "cancelled");
    assert.deepEqual(await remoteParallelMap((x: number) => x + 1, [1]).toArray(), [2]);
  });
}

test("a callback of a reader that fails ends the reading, not the detached job", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "burla-callbacks-"));
  t.after(() => rm(folder, { recursive: true }));
  const heard = join(folder, "heard");
  const talks = async (x: number) => {
    while (!existsSync(heard)) {
      console.log("line");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return x;
  };
  const job = remoteParallelMap(talks, [1, 2], { detach: true });
  await job.uploaded;
  await job.return();
  await assert.rejects(attach(job.jobId, { onLog: () => { throw new RangeError("mine"); } }).toArray(), RangeError);
  const again = attach<number>(job.jobId, { onLog: () => undefined }).toArray();
  await writeFile(heard, "");
  assert.deepEqual(await again, [1, 2]);
});

test("a job that is left while results are under way is read again from the start", async () => {
  const inputs = Array.from({ length: 60 }, (_, at) => at);
  const job = remoteParallelMap((x: number) => new Uint8Array(200_000).fill(x), inputs, { detach: true });
  await job.uploaded;
  await job.return();
  for await (const _ of attach(job.jobId)) break;
  const results = await attach<Uint8Array>(job.jobId, { order: "input" }).toArray();
  assert.deepEqual(results.map((bytes) => bytes[0]), inputs);
});

test("promises among the inputs that fail before their turn are thrown by the iteration, and nowhere else", async () => {
  const { stdout, stderr, code } = await Script.run(cluster, `
    const inputs = [1, ...Array.from({ length: 20 }, (_, i) => Promise.reject(new RangeError("input " + i)))];
    try { await remoteParallelMap((x) => x, inputs).toArray(); } catch (error) { console.log(error.name, error.message); }
    const failing = remoteParallelMap((x) => x, [() => 1]);
    const uploaded = failing.uploaded;
    try { await failing.toArray(); } catch (error) { console.log(error.code); }
    console.log("done");
  `);
  assert.deepEqual([stdout, stderr, code], ["RangeError input 0\nBURLA_INPUT\ndone\n", "", 0]);
});
