/** A job that goes on without this program: started here, its results collected with its id, from any program. */
import { setTimeout as sleep } from "node:timers/promises";
import { attach, remoteParallelMap } from "burla";

async function slowSquare(n: number): Promise<number> {
  await sleep(50);
  return n * n;
}

const inputs = Array.from({ length: 40 }, (_, n) => n);
const job = remoteParallelMap(slowSquare, inputs, { detach: true, name: "squares" });
await job.uploaded; // all inputs are on the cluster: from here on this program may end
console.log(`Started ${job.jobId}; the results can be collected with: burla attach ${job.jobId}`);

// Another program would begin here, with nothing but the id.
const squares = await attach<number>(job.jobId).toArray();
console.log(`Collected ${squares.length} results, the last is ${squares.at(-1) ?? "missing"}`);
