/** Failures on the user's own side: of callbacks, of promises among the inputs. None may become an unhandled one. */
import assert from "node:assert/strict";
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

test("a callback of a reader that fails ends the reading, not the detached job", async () => {
  const job = remoteParallelMap((x: number) => { console.log("line"); return x; }, [1, 2], { detach: true });
  await job.uploaded;
  await job.return();
  await assert.rejects(attach(job.jobId, { onLog: () => { throw new RangeError("mine"); } }).toArray(), RangeError);
  assert.deepEqual(await attach<number>(job.jobId, { onLog: () => undefined }).toArray(), [1, 2]);
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
