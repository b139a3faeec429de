/** What holds for programs that are run to their end in the surroundings of workers. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Language } from "./languages.ts";
import type { Workbench } from "./workbench.ts";

/** Registers the tests; a part of the contract of container runtimes. */
export function taskContract(bench: () => Workbench, { tasks, runtime }: Language): void {
  test("a task works in its folder, and its lines and its exit code are told", async () => {
    const lines: string[] = [];
    const { code, tail } = await bench().run({ code: tasks.print, onLine: (line) => lines.push(line) });
    assert.equal(code, 3);
    for (const told of [lines, tail.split("\n")]) assert.deepEqual([...told].sort(), ["one", "two"]);
    assert.equal(readFileSync(join(bench().taskFolder, "made"), "utf8"), "text");
  });

  test("tasks at the same time are apart, whatever they are found by", async () => {
    const texts = ["a", "b", "c"];
    const outcomes = await Promise.all(texts.map((text) => bench().run({ code: tasks.echo, args: [text], mark: "same" })));
    assert.deepEqual(outcomes.map(({ code, tail }) => [code, tail]), texts.map((text) => [0, text]));
    assert.equal((await bench().run({ code: tasks.echo, args: ["d"], mark: "same" })).tail, "d", "one after them is as well");
  });

  test("a task that is aborted ends with its children, also those that ignore SIGTERM", async () => {
    const abort = new AbortController();
    const running = bench().run({ code: tasks.stubborn, args: [bench().socketPath], signal: abort.signal });
    const ended = assert.rejects(running, /enough/);
    await bench().told(2);
    abort.abort(new Error("enough"));
    await ended;
    await bench().untilConnected(0);
  });

  test("a task that is aborted at its start never runs, or ends", async () => {
    const abort = new AbortController();
    const ended = assert.rejects(bench().run({ code: tasks.stubborn, args: [bench().socketPath], signal: abort.signal }), /enough/);
    setImmediate(() => abort.abort(new Error("enough")));
    await ended;
    await bench().untilConnected(0);
    await assert.rejects(bench().run({ code: tasks.print, signal: abort.signal }), /enough/);
    assert.equal(existsSync(join(bench().taskFolder, "made")), false);
  });

  test("the surroundings have a name that stays", async () => {
    const workers = { runtime, image: bench().image, python: null };
    const name = await bench().runtime.environmentId(workers);
    assert.ok(name.length > 0);
    assert.equal(await (await bench().openAgain()).runtime.environmentId(workers), name);
  });
}
