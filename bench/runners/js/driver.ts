/** The procedures of the scenarios, once for every JavaScript system; `../python/driver.py` mirrors them. */
import { setTimeout as delay } from "node:timers/promises";
import { event, listen, report, send, type Harness } from "./channel.ts";
import type { SpinInput, SpinResult } from "./functions.ts";
import { seededRandom } from "./random.ts";
import type { System } from "./system.ts";

/** Numbers of the scenario, and `stepsPerMs` of the calibrated loop. */
type Params = Record<string, number> & { address?: string };
type Procedure = (system: System, params: Params, harness: Harness) => Promise<void>;

const PROGRESS_EVERY = 10_000;
/** A slow system is not asked again once its repeats have taken this long. */
const REPEAT_UNTIL_S = 20;

function param(params: Params, name: string): number {
  const value = params[name];
  if (value === undefined) throw new Error(`The scenario gives no ${name}`);
  return value;
}

const secondsSince = (startMs: number) => (performance.now() - startMs) / 1000;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function spinInputs(params: Params, msOf: (index: number) => number): SpinInput[] {
  return range(param(params, "calls")).map((index) => ({
    index,
    iterations: Math.round(msOf(index) * param(params, "stepsPerMs")),
  }));
}

function again(params: Params, repeat: number, beginMs: number): boolean {
  return repeat === 0 || (repeat < param(params, "repeats") && secondsSince(beginMs) < REPEAT_UNTIL_S);
}

/** Starts the system, lets every worker do something, and waits for the harness. */
async function warm(system: System, params: Params, harness: Harness, bounded = false): Promise<void> {
  await system.start({ address: params.address, bounded });
  const iterations = Math.round(5 * param(params, "stepsPerMs"));
  await system.stream("spin", range(40).map((index) => ({ index, iterations })), {
    result: () => undefined,
    error: (error) => { throw error; },
  });
  event("ready");
  await harness.go;
}

const noop: Procedure = async (system, params, harness) => {
  await warm(system, params, harness);
  const calls = param(params, "calls");
  const inputs = range(calls);
  const pauseMs = param(params, "pauseMs");
  const listed: number[] = [];
  const streamed: number[] = [];
  const atOnce: number[] = [];
  const collect = async () => {
    const start = performance.now();
    const results = await system.collect("noop", inputs);
    const seconds = secondsSince(start);
    if (results.length !== calls || results[calls - 1] !== calls - 1) throw new Error("wrong results");
    return seconds;
  };
  const begin = performance.now();
  for (let repeat = 0; again(params, repeat, begin); repeat++) {
    await delay(pauseMs);
    listed.push(await collect());
    atOnce.push(await collect());
    await delay(pauseMs);
    const start = performance.now();
    let seen = 0;
    await system.stream("noop", inputs, { result: () => seen++, error: (error) => { throw error; } });
    streamed.push(secondsSince(start));
    if (seen !== calls) throw new Error(`${seen} results`);
  }
  report("calls_per_second", calls / median(listed), "1/s");
  report("calls_per_second_streamed", calls / median(streamed), "1/s");
  report("calls_per_second_back_to_back", calls / median(atOnce), "1/s");
};

const spin: Procedure = async (system, params, harness) => {
  await warm(system, params, harness);
  const random = seededRandom(param(params, "seed"));
  const [minMs, maxMs] = [param(params, "minMs"), param(params, "maxMs")];
  const ms = range(param(params, "calls")).map(() => minMs + random() * (maxMs - minMs));
  const stragglerMs = param(params, "stragglerMs");
  if (stragglerMs > 0) ms[Math.floor(random() * ms.length)] = stragglerMs;
  const inputs = spinInputs(params, (index) => ms[index] ?? 0);
  const start = performance.now();
  const results = await system.collect("spin", inputs);
  report("wall", secondsSince(start), "s");
  if (results.length !== inputs.length) throw new Error(`${results.length} results`);
  report("nominal_cpu", ms.reduce((sum, each) => sum + each, 0) / 1000, "s");
};

const echo: Procedure = async (system, params, harness) => {
  await warm(system, params, harness);
  const [calls, bytes] = [param(params, "calls"), param(params, "bytes")];
  const seconds: number[] = [];
  const begin = performance.now();
  for (let repeat = 0; again(params, repeat, begin); repeat++) {
    const random = seededRandom(repeat);
    const noise = Uint8Array.from({ length: bytes }, () => random() * 256);
    const inputs = range(calls).map(() => noise.slice());
    const start = performance.now();
    const results = (await system.collect("echo", inputs)) as Uint8Array[];
    seconds.push(secondsSince(start));
    if (results.length !== calls || results.some((r) => r.length !== bytes)) throw new Error("wrong results");
  }
  report("throughput_each_way", (calls * bytes) / 1e6 / median(seconds), "MB/s");
};

const print: Procedure = async (system, params, harness) => {
  await warm(system, params, harness);
  event("working");
  const start = performance.now();
  await system.collect("print", range(param(params, "calls")));
  report("results_after", secondsSince(start), "s");
};

const kill: Procedure = async (system, params, harness) => {
  await warm(system, params, harness);
  const calls = param(params, "calls");
  const times = new Uint32Array(calls);
  let received = 0;
  let firstError: unknown;
  let killed = Promise.resolve();
  const inputs = spinInputs(params, () => param(params, "callMs"));
  const start = performance.now();
  try {
    await system.stream("spin", inputs, {
      result(value) {
        const { index, pid } = value as SpinResult;
        times[index] = (times[index] ?? 0) + 1;
        if (++received === Math.floor(calls / 2)) killed = Promise.resolve(system.killWorker(pid));
      },
      error: (error) => (firstError ??= error),
    });
    await killed;
  } catch (error) {
    firstError ??= error;
  }
  report("wall", secondsSince(start), "s");
  if (firstError !== undefined) event("error", { message: String(firstError).split("\n")[0] });
  report("lost", times.filter((n) => n === 0).length, "results");
  report("doubled", times.filter((n) => n > 1).length, "results");
};

const cancel: Procedure = async (system, params, harness) => {
  await warm(system, params, harness);
  const controller = new AbortController();
  const abort = () => {
    if (controller.signal.aborted) return;
    event("cancelled");
    controller.abort();
  };
  let received = 0;
  const timer = setTimeout(abort, param(params, "cancelAfterMs"));
  const listener = {
    result: () => void (++received === param(params, "cancelAfterResults") && abort()),
    error: () => undefined,
  };
  const inputs = spinInputs(params, () => param(params, "callMs"));
  await system.stream("spin", inputs, listener, controller.signal).catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  clearTimeout(timer);
};

function* count(to: number): Generator<number> {
  for (let i = 0; i < to; i++) yield i;
}

const generator: Procedure = async (system, params, harness) => {
  await warm(system, params, harness, true);
  const calls = param(params, "calls");
  let received = 0;
  const start = performance.now();
  await system.stream("noop", count(calls), {
    result: () => void (++received % PROGRESS_EVERY === 0 && event("progress", { done: received })),
    error: (error) => { throw error; },
  });
  report("wall", secondsSince(start), "s");
  if (received !== calls) throw new Error(`${received} results`);
};

/** Milliseconds until the first of a few results is there; returns when all are. */
async function firstResultMs(system: System, calls: number, startMs: number): Promise<number> {
  let firstMs = NaN;
  await system.stream("noop", range(calls), {
    result: () => void (Number.isNaN(firstMs) && (firstMs = performance.now() - startMs)),
    error: (error) => { throw error; },
  });
  return firstMs;
}

const firstResult: Procedure = async (system, params, harness) => {
  event("ready");
  await harness.go;
  const startMs = performance.now();
  await system.start({ address: params.address, bounded: false });
  report("first_result", await firstResultMs(system, param(params, "calls"), startMs), "ms");
  if (param(params, "sameProcessCalls") === 0) return;
  report("first_result_after_pause", await laterCallsMs(system, params, param(params, "pauseMs")), "ms");
  report("first_result_back_to_back", await laterCallsMs(system, params, 0), "ms");
};

/** The median of several later calls, each `pauseMs` after the end of the one before. */
async function laterCallsMs(system: System, params: Params, pauseMs: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < param(params, "sameProcessCalls"); i++) {
    if (pauseMs > 0) await delay(pauseMs);
    times.push(await firstResultMs(system, param(params, "calls"), performance.now()));
  }
  return median(times);
}

/** Keeps the system up for other processes until the harness ends it. */
const serve: Procedure = async (system, _params, harness) => {
  await system.start({ address: undefined, bounded: false });
  await system.collect("noop", range(40));
  event("ready", { address: system.address?.() });
  await harness.go;
};

const procedures: Record<string, Procedure> = {
  noop, spin, echo, print, kill, cancel, generator, serve, "first-result": firstResult,
};

/** Runs the procedure named on the command line; call it once, last, in a runner. */
export async function drive(system: System): Promise<void> {
  const [, , name = "", json = "{}"] = process.argv;
  const harness = listen();
  try {
    const procedure = procedures[name];
    if (procedure === undefined) throw new Error(`No procedure ${name}`);
    await procedure(system, JSON.parse(json) as Params, harness);
  } catch (error) {
    send({ event: "failed", message: error instanceof Error ? error.message : String(error) });
  }
  event("done");
  await harness.end;
  await system.stop();
  process.exit(0);
}
