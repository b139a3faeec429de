/** A worker process for BullMQ: `bullmq-worker PORT`. */
import { type Job, Worker } from "bullmq";
import { echo, noop, spin, type SpinInput } from "./functions.ts";

const connection = { host: "127.0.0.1", port: Number(process.argv[2]) };

/** What a job prints does not reach the client of the queue; what it logs does. */
async function print(job: Job): Promise<number> {
  for (let line = 0; line < 10; line++) await job.log(`bench-line ${job.data}/${line}`);
  return job.data as number;
}

async function run(job: Job): Promise<unknown> {
  switch (job.name) {
    case "noop": return noop(job.data as number);
    case "spin": return spin(job.data as SpinInput);
    case "echo": return Buffer.from(echo(Buffer.from(job.data as string, "base64"))).toString("base64");
    case "print": return print(job);
    default: throw new Error(`No function ${job.name}`);
  }
}

const worker = new Worker("bench", run, { connection });
await worker.waitUntilReady();
process.send?.("ready");
