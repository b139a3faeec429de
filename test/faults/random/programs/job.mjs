/* The program of a user, of which a plan decides everything: `remoteParallelMap` and `attach` are imported before it. It
 * says on stdout what it reads, a line for each result. */
import { appendFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const { job, records, attachTo } = JSON.parse(process.env.BURLA_FAULT_JOB);
const captured = Buffer.alloc(job.capturedBytes, 7);

/** Whether it has not happened to this input before, in any worker. */
function isFirst(what, index) {
  try {
    writeFileSync(`${records}.${what}-${index}`, "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

/** Neighbours differ, all in all they take what the plan says. */
const callMs = (index) => job.callMs * (0.5 + ((index * 7919) % 101) / 100);

async function call({ index, filling }) {
  appendFileSync(records, `begin ${index}\n`);
  if (filling.byteLength !== job.inputBytes || captured.byteLength !== job.capturedBytes) throw new Error("the input or what was captured is damaged");
  for (let line = 0; line < job.lines; line++) console.log(`line ${line} of ${index}`);
  if (job.isAsync) await pause(callMs(index));
  else for (const endMs = performance.now() + callMs(index); performance.now() < endMs; );
  if (job.exitsAt.includes(index) && isFirst("exits", index)) process.exit(3);
  if (job.exhaustsAt.includes(index) && isFirst("exhausts", index)) {
    for (const kept = []; ; await pause(5)) kept.push(Buffer.alloc(16 << 20, 1));
  }
  if (job.flakyAt.includes(index) && isFirst("flaky", index)) throw new Error("not at the first time");
  if (job.throwsAt.includes(index)) throw new RangeError(`input ${index} is thrown back`);
  if (job.nestsAt.includes(index)) {
    const inner = await remoteParallelMap((x) => x + 1, [index, index + 1, index + 2]).toArray();
    if (inner.join() !== [index + 1, index + 2, index + 3].join()) throw new Error(`its own job gave ${inner.join()}`);
  }
  appendFileSync(records, `end ${index}\n`);
  return { index, filling: Buffer.alloc(job.resultBytes, index & 255) };
}

function* inputs() {
  for (let index = 0; job.isEndless || index < job.inputs; index++) yield { index, filling: Buffer.alloc(job.inputBytes) };
}

const outcomeOf = (error) => error?.code ?? error?.name ?? "no error";
const isRight = ({ index, filling }, at) => index === at && filling.byteLength === job.resultBytes && filling.every((byte) => byte === (at & 255));
const tellValue = (index, value) => console.log(`read ${index} ${isRight(value, index) ? "right" : "wrong"}`);
let results = 0;

/** After each result. @returns whether the reading stops here. */
async function consume(stream) {
  results++;
  if (job.consumerStallMs > 0 && results === Math.ceil(job.inputs / 3)) spin(job.consumerStallMs);
  if (job.consumerPauseMs > 0 && results % 16 === 0) {
    if (job.isConsumerBusy) spin(job.consumerPauseMs);
    else await pause(job.consumerPauseMs);
  }
  if (attachTo !== null || (job.ending.kind !== "break" && job.ending.kind !== "cancel")) return false;
  if (results < job.ending.afterResults) return false;
  if (job.ending.kind === "cancel") await stream.cancel();
  return true;
}

function spin(forMs) {
  for (const endMs = performance.now() + forMs; performance.now() < endMs; );
}

/** @returns whether it was stopped. */
async function readAll(stream, view) {
  switch (view) {
    case "list":
      for (const [index, value] of (await stream.toArray()).entries()) if (value !== undefined) tellValue(index, value);
      return false;
    case "values":
      for await (const value of stream) {
        tellValue(value.index, value);
        if (await consume(stream)) return true;
      }
      return false;
    case "entries":
      for await (const { index, value } of stream.entries()) {
        tellValue(index, value);
        if (await consume(stream)) return true;
      }
      return false;
    default:
      for await (const { index, status, value, reason } of stream.settled()) {
        if (status === "fulfilled") tellValue(index, value);
        else console.log(`read ${index} ${outcomeOf(reason)}`);
        if (await consume(stream)) return true;
      }
      return false;
  }
}

const { order, onError, concurrency, maxParallelism, retries, isDetached } = job;
const options = {
  order, onError, concurrency, retries, detach: isDetached, onLog: () => undefined,
  ...(maxParallelism === null ? {} : { maxParallelism }),
  ...(job.exhaustsAt.length > 0 ? { ram: "300 MiB" } : {}),
};
const stream = attachTo === null ? remoteParallelMap(call, inputs(), options) : attach(attachTo, { order, onLog: () => undefined });
console.log(`job ${stream.jobId}`);
try {
  if (job.ending.kind === "leave" && attachTo === null) {
    await stream.uploaded;
    console.log("over left");
    process.exit(0);
  }
  console.log((await readAll(stream, attachTo === null ? job.view : "settled")) ? "over stopped" : "over done");
} catch (error) {
  console.log(`over error ${JSON.stringify({ code: error?.code ?? "", name: error?.name ?? "", message: String(error?.message).slice(0, 500) })}`);
}
