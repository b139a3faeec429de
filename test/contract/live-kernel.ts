/** What holds for every live kernel, whatever it speaks. A language gives the code that does each thing there. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ExecuteOptions, KernelEvent, KernelStatus, LiveKernel } from "@burla/kernel-bridge";

/** Code in the kernel's language. What a snippet shows must be these texts, so that kernels can be compared. */
export interface Snippets {
  /** Writes `out` to stdout, then `err` to stderr. */
  readonly print: string;
  /** Is 42, as its last expression. */
  readonly value: string;
  /** Fails with an error whose message holds `boom`. */
  readonly fail: string;
  /** Sets the variable `kept` to 7. */
  readonly keep: string;
  /** Is the variable `kept`, as its last expression; an error when there is none. */
  readonly readKept: string;
  /** Writes `on` to stdout at once, then is busy without an end. */
  readonly busy: string;
  /** Displays HTML that holds `<b>rich</b>`. */
  readonly html: string;
}

export interface ContractOptions {
  /** Called for each kernel that is needed; what they share it makes at the first call. */
  readonly start: () => Promise<LiveKernel>;
  /** Ends what they share. */
  readonly finish?: () => Promise<void>;
  readonly snippets: Snippets;
  /** The session goes on after an interrupt, with its variables. */
  readonly survivesInterrupt: boolean;
}

/** All events of one execution. */
export async function run(kernel: LiveKernel, code: string, options?: ExecuteOptions): Promise<KernelEvent[]> {
  const events: KernelEvent[] = [];
  for await (const event of kernel.execute(code, options)) events.push(event);
  return events;
}

export function outcomeOf(events: readonly KernelEvent[]): string {
  const last = events.at(-1);
  return last?.type === "ended" ? last.outcome : "not ended";
}

export function streamOf(events: readonly KernelEvent[], name: "stdout" | "stderr" = "stdout"): string {
  return events.map((event) => (event.type === "stream" && event.name === name ? event.text : "")).join("");
}

/** The value as text; undefined when there was none. */
export function valueOf(events: readonly KernelEvent[]): unknown {
  return events.find((event) => event.type === "value")?.data["text/plain"];
}

/** Resolves when the kernel says so. */
export function statusOf(kernel: LiveKernel, wanted: KernelStatus): Promise<void> {
  return new Promise((resolve) => {
    if (kernel.status === wanted) return resolve();
    const stop = kernel.onStatus((status) => {
      if (status !== wanted) return;
      stop();
      resolve();
    });
  });
}

/** Starts `code`, and does something when it has written to stdout. @returns all of its events. */
export async function during(kernel: LiveKernel, code: string, action: () => unknown, options?: ExecuteOptions): Promise<KernelEvent[]> {
  const events: KernelEvent[] = [];
  let done: Promise<unknown> | undefined;
  for await (const event of kernel.execute(code, options)) {
    events.push(event);
    if (event.type === "stream") done ??= Promise.resolve(action());
  }
  await done;
  return events;
}

export function liveKernelContract(name: string, { start, finish, snippets, survivesInterrupt }: ContractOptions): void {
  // Set before the first test.
  let kernel!: LiveKernel;
  before(async () => (kernel = await start()));
  after(async () => {
    await (kernel as LiveKernel | undefined)?.dispose();
    await finish?.();
  });
  const check = (what: string, body: () => Promise<void>) => test(`${name}: ${what}`, body);

  check("events begin with started, end with ended, and the streams keep apart", async () => {
    const events = await run(kernel, snippets.print);
    assert.equal(events[0]?.type, "started");
    assert.equal(outcomeOf(events), "ok");
    assert.equal(streamOf(events, "stdout").trim(), "out");
    assert.equal(streamOf(events, "stderr").trim(), "err");
  });

  check("the last expression is the value, with the number of the execution", async () => {
    const events = await run(kernel, snippets.value);
    const [started] = events;
    const value = events.find((event) => event.type === "value");
    assert.equal(valueOf(events), "42");
    assert.ok(started?.type === "started" && started.executionCount > 0);
    assert.equal(value?.executionCount, started.executionCount);
  });

  check("an error of the code is an event, and the session goes on", async () => {
    const events = await run(kernel, snippets.fail);
    const error = events.find((event) => event.type === "error");
    assert.match(error?.message ?? "", /boom/);
    assert.ok((error?.traceback.length ?? 0) > 0);
    assert.equal(outcomeOf(events), "error");
    assert.equal(outcomeOf(await run(kernel, snippets.value)), "ok");
  });

  check("what one execution sets, the next one reads, also when both are given at once", async () => {
    const [, read] = await Promise.all([run(kernel, snippets.keep), run(kernel, snippets.readKept)]);
    assert.equal(valueOf(read), "7");
  });

  check("after an error, what was given already is aborted", async () => {
    const [failed, next] = await Promise.all([run(kernel, snippets.fail), run(kernel, snippets.value)]);
    assert.equal(outcomeOf(failed), "error");
    assert.deepEqual(next, [{ type: "ended", outcome: "aborted" }]);
  });

  check("a silent execution takes no number", async () => {
    const before = (await run(kernel, snippets.value))[0];
    assert.equal(outcomeOf(await run(kernel, snippets.keep, { silent: true })), "ok");
    const after = (await run(kernel, snippets.value))[0];
    assert.ok(before?.type === "started" && after?.type === "started");
    assert.equal(after.executionCount, before.executionCount + 1);
  });

  check("rich output has its forms by MIME type", async () => {
    const display = (await run(kernel, snippets.html)).find((event) => event.type === "display");
    assert.match(String(display?.data["text/html"]), /<b>rich<\/b>/);
  });

  check("the events can be read once", async () => {
    const events = kernel.execute(snippets.value);
    for await (const event of events) void event;
    assert.throws(() => events[Symbol.asyncIterator](), /once/);
  });

  check("a busy loop is interrupted", async () => {
    await run(kernel, snippets.keep);
    const events = await during(kernel, snippets.busy, () => kernel.interrupt());
    assert.ok(["error", "lost"].includes(outcomeOf(events)), outcomeOf(events));
    if (survivesInterrupt) assert.equal(valueOf(await run(kernel, snippets.readKept)), "7");
  });

  check("a signal interrupts, and one that is given already runs nothing", async () => {
    const controller = new AbortController();
    const events = await during(kernel, snippets.busy, () => controller.abort(), { signal: controller.signal });
    assert.ok(["error", "lost"].includes(outcomeOf(events)), outcomeOf(events));
    assert.deepEqual(await run(kernel, snippets.value, { signal: AbortSignal.abort() }), [{ type: "ended", outcome: "aborted" }]);
  });

  check("a restart loses what runs and what is kept, and the kernel works again", async () => {
    await run(kernel, snippets.keep);
    const events = await during(kernel, snippets.busy, () => kernel.restart());
    assert.equal(outcomeOf(events), "lost");
    assert.equal(outcomeOf(await run(kernel, snippets.readKept)), "error");
    assert.equal(valueOf(await run(kernel, snippets.value)), "42");
  });

  check("status tells busy and idle", async () => {
    const seen: KernelStatus[] = [];
    const stop = kernel.onStatus((status) => seen.push(status));
    await run(kernel, snippets.value);
    await statusOf(kernel, "idle");
    stop();
    assert.ok(seen.includes("busy") && seen.includes("idle"), seen.join());
  });

  check("after dispose everything ends, at once", async () => {
    const other = await start();
    const events = await during(other, snippets.busy, () => other.dispose());
    assert.equal(outcomeOf(events), "lost");
    assert.equal(other.status, "dead");
    assert.equal(outcomeOf(await run(other, snippets.value)), "lost");
    await other.dispose();
  });
}
