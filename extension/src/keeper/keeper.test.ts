/** With a kernel of the test's own, whose events the test gives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelEvent, LiveKernel } from "@burla/kernel-bridge";
import { Keeper } from "./keeper.ts";
import type { ToWindow } from "./messages.ts";

/** Hands out its events one by one. */
class Script implements AsyncIterable<KernelEvent> {
  readonly #events: KernelEvent[] = [];
  #wake: () => void = () => undefined;
  #isOver = false;

  say(...events: KernelEvent[]): void {
    this.#events.push(...events);
    this.#wake();
  }

  /** Ends without a word. */
  close(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<KernelEvent> {
    while (true) {
      const event = this.#events.shift();
      if (event !== undefined) yield event;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
      if (event?.type === "ended") return;
    }
  }
}

function start() {
  const script = new Script();
  const kernel = { language: "python", status: "idle", onStatus: () => () => undefined, execute: () => script, interrupt: async () => undefined } as unknown as LiveKernel;
  return { script, keeper: new Keeper(kernel, () => "") };
}

/** A window that notes what it hears. */
class Window {
  readonly heard: ToWindow[] = [];
  #wake: () => void = () => undefined;
  readonly tell = (message: ToWindow) => {
    this.heard.push(message);
    this.#wake();
  };

  async until<Type extends ToWindow["type"]>(type: Type): Promise<Extract<ToWindow, { type: Type }>> {
    while (true) {
      const found = this.heard.find((message): message is Extract<ToWindow, { type: Type }> => message.type === type);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const EXECUTE = { type: "execute", executionId: "e1", code: "work()", cellId: "cell", mark: "mark" } as const;

test("a window hears an execution from its start to its end, in order", async () => {
  const { script, keeper } = start();
  const window = new Window();
  keeper.attach(window.tell);
  keeper.hear(EXECUTE);
  script.say({ type: "started", executionCount: 4 }, { type: "stream", name: "stdout", text: "a" }, { type: "ended", outcome: "ok" });
  await window.until("ended");
  assert.deepEqual(window.heard.map(({ type }) => type), ["welcome", "started", "outputs", "ended"]);
});

test("a window that comes back is told all that was shown, and goes on", async () => {
  const { script, keeper } = start();
  const [before, after] = [new Window(), new Window()];
  keeper.attach(before.tell);
  keeper.hear(EXECUTE);
  script.say({ type: "started", executionCount: 4 }, { type: "stream", name: "stdout", text: "one " });
  await before.until("outputs");
  keeper.detach(before.tell);
  script.say({ type: "stream", name: "stdout", text: "two" });
  await new Promise((resolve) => setImmediate(resolve));
  keeper.attach(after.tell);
  const [execution] = (await after.until("welcome")).executions;
  assert.equal(execution?.executionCount, 4);
  assert.equal(execution.mark, "mark");
  assert.deepEqual(execution.outputs.map(({ output }) => output), [{ kind: "stream", name: "stdout", text: "one two" }]);
  script.say({ type: "ended", outcome: "ok" });
  assert.equal((await after.until("ended")).outcome, "ok");
});

test("an end that no window has heard is told to the next one, once", async () => {
  const { script, keeper } = start();
  keeper.hear(EXECUTE);
  script.say({ type: "started", executionCount: 1 }, { type: "ended", outcome: "error" });
  await new Promise((resolve) => setImmediate(resolve));
  const [first, second] = [new Window(), new Window()];
  keeper.attach(first.tell);
  assert.deepEqual((await first.until("welcome")).executions.map(({ outcome }) => outcome), ["error"]);
  keeper.attach(second.tell);
  assert.deepEqual((await second.until("welcome")).executions, []);
});

test("a question reaches the window that is there, and its answer the code", async () => {
  const { script, keeper } = start();
  const window = new Window();
  keeper.attach(window.tell);
  keeper.hear(EXECUTE);
  const answered = new Promise<string>((resolve) => script.say({ type: "started", executionCount: 1 }, { type: "input", prompt: "Name?", isPassword: false, answer: resolve }));
  const { question } = await window.until("question");
  keeper.hear({ type: "answer", executionId: "e1", inputId: question.inputId, text: "Ada" });
  assert.equal(await answered, "Ada");
});

test("an execution that the kernel drops ends as lost", async () => {
  const { script, keeper } = start();
  const window = new Window();
  keeper.attach(window.tell);
  keeper.hear(EXECUTE);
  script.say({ type: "started", executionCount: 1 });
  script.close();
  assert.equal((await window.until("ended")).outcome, "lost");
});

test("what the kernel refuses is answered with its cure", async () => {
  const { keeper } = start();
  const window = new Window();
  keeper.attach(window.tell);
  keeper.hear({ type: "restart", requestId: 7 });
  const { requestId, problem } = await window.until("reply");
  assert.equal(requestId, 7);
  assert.match(problem?.message ?? "", /restart/);
});
