/** What cells of the Node session can do here: declarations, imports, display, errors, and ends of all kinds. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { KernelEvent, LiveKernel } from "@burla/kernel-bridge";
import { during, outcomeOf, run, statusOf, streamOf, valueOf } from "../contract/live-kernel.ts";
import { until, within } from "../support/until.ts";
import { isAlive } from "../../client/src/process-life.ts";
import { NotebookFolder } from "./notebook-folder.ts";
import { armedRun, errorText, plain, startSession } from "./session.ts";

const folder = new NotebookFolder();
let session: LiveKernel;
before(async () => (session = await startSession(folder.path, { memoryLimitMiB: 200 })));
after(async () => {
  await (session as LiveKernel | undefined)?.dispose();
  folder.remove();
});

/** Runs cells one after the other; each must go well. @returns the last one's value as text. */
async function value(...cells: string[]): Promise<string> {
  let last: KernelEvent[] = [];
  for (const cell of cells) {
    last = await run(session, cell);
    assert.equal(errorText(last), "", cell);
  }
  return plain(valueOf(last));
}

async function failure(cell: string): Promise<string> {
  const events = await run(session, cell);
  assert.equal(outcomeOf(events), "error");
  return errorText(events).replaceAll(/cell \d+/g, "cell");
}

const formsOf = (events: readonly KernelEvent[]) => events.flatMap((event) => (event.type === "display" || event.type === "value" ? [event.data] : []));

test("declarations live on, and a later cell may declare them anew", async () => {
  assert.equal(await value("const a = 1, { b, c: [d] } = { b: 2, c: [3] }; let e; var f = 5;", "[a, b, d, e, f]"), "[ 1, 2, 3, undefined, 5 ]");
  assert.equal(await value("const a = 'new'; class f {}", "[a, typeof f]"), "[ 'new', 'function' ]");
  assert.equal(await value("enum E { A = 'x', B = 'y' }", "enum E { C = 'z' }", "E"), "{ C: 'z' }");
  assert.equal(await value("namespace N { export const deep = 4 }", "N.deep"), "4");
  assert.equal(await value("interface I { a: number }\ntype T = I;\ndeclare const nothing: T;\nabstract class Base { abstract x: number }\nconst typed: T = { a: 1 } satisfies I;", "typed.a"), "1");
});

test("functions see the newest of what they use", async () => {
  assert.equal(await value("function twice(x: number) { return x * rate }\nlet rate = 2", "function rated() { return twice(10) }", "rate = 5", "rated()"), "50");
  assert.equal(await value("function twice(x: number) { return x + 0.5 }", "rated()"), "10.5");
});

test("functions are there before their line, and keep their names", async () => {
  assert.equal(await value("const early = later(1);\nfunction later(x: number): string;\nfunction later(x: unknown) { return 'it is ' + x }\nasync function* many() { yield 1 }", "[early, later.name, many.name, (await many().next()).value]"), "[ 'it is 1', 'later', 'many', 1 ]");
});

test("the last expression is the value; statements have none", async () => {
  assert.equal(await value("const x = 1; x + 1;"), "2");
  assert.equal(valueOf(await run(session, "const x = 1")), undefined);
  assert.equal(valueOf(await run(session, "if (true) { 5 }")), undefined);
  assert.equal(valueOf(await run(session, "// nothing")), undefined);
  assert.equal(await value("{ a: 1, b: [2] }"), "{ a: 1, b: [ 2 ] }");
  assert.equal(await value("await Promise.resolve('later')"), "'later'");
  assert.equal(await value("for await (const x of [Promise.resolve(1)]) globalThis.seen = x", "seen"), "1");
});

test("imports: files, packages, JSON, Node's own; types vanish", async () => {
  await value(
    "import kindOf, { score, Kind, type Options } from './score'\nimport { Options as Other } from './score.ts'\nimport * as all from './score.ts'\nimport data from './data.json'\nimport data2 from './data.json' with { type: 'json' }\nimport Box, { half as halve } from 'esm-package'\nimport plusOne, { twice } from 'cjs-package'\nimport { sep } from 'path'\nimport type { X } from './nowhere'\nimport { shout } from './shout.mjs'\nimport 'esm-package'",
  );
  assert.equal(await value("[kindOf(3), score(1), Kind.Low, all.score === score, data.weights[1], data2.weights.length, new Box(4).get(), halve(4), plusOne(1), twice(4), sep, shout('a')]"), `[
  'high', 3,   'low',
  true,   1,   3,
  4,      2,   2,
  8,      '/', 'A!'
]`);
  assert.equal(await value("const { half } = await import('esm-package'); half(3) + require('./data.json').weights[0]"), "4.5");
  assert.match(await failure("import { nope } from 'esm-package';\nnope()"), /SyntaxError: The requested module 'esm-package' does not provide an export named 'nope'/);
  assert.match(await failure("import x from './missing'"), /Cannot find module .*missing/);
});

test("a file that was edited is taken anew after a restart", async () => {
  folder.write("edited.ts", "export const version: number = 1");
  assert.equal(await value("import { version } from './edited'; version"), "1");
  folder.write("edited.ts", "export const version: number = 2");
  await session.restart();
  assert.equal(await value("import { version } from './edited'; version"), "2");
});

test("a variable may have the name of something that packages need", async () => {
  assert.equal(await value("const URL = 'mine', process = 1, self = 2;", "import crypto from 'node:crypto'", "[URL, process, self, typeof crypto.randomBytes]"), "[ 'mine', 1, 2, 'function' ]");
  assert.equal(await value("function useUrl() { return URL }\nuseUrl()"), "'mine'");
  assert.equal(await value("[typeof globalThis.URL, typeof globalThis.process.pid, globalThis.self, typeof globalThis.crypto.subtle]"), "[ 'function', 'number', undefined, 'object' ]");
  // The other tests mean Node's.
  await session.restart();
});

test("an error shows the line of the cell and a stack in the user's own places", async () => {
  assert.equal(await failure("function bad(x: number): never {\n\n  throw new TypeError(`no ${x}`, { cause: 'why' });\n}\nbad(1)"), [
    "cell:3:9", "  throw new TypeError(`no ${x}`, { cause: 'why' });", "        ^", "TypeError: no 1", "    at bad (cell:3:9)", "    at cell:5:1 {", "  [cause]: 'why'", "}",
  ].join("\n"));
  const inFile = await failure("import { score } from './score.ts';\nconst x = -1;\nscore(x)");
  assert.match(inFile, /^cell:3:1\nscore\(x\)\n\^\nRangeError: score of -1\n {4}at score \(.*score\.ts:6:20\)\n {4}at cell:3:1$/);
  assert.equal(await failure("throw { code: 5 }"), "Thrown: { code: 5 }");
});

test("a syntax error shows line and caret, and nothing of the cell has run", async () => {
  assert.equal(await failure("globalThis.touched = 1;\nconst b = a +* 2;"), "cell:2:14\nconst b = a +* 2;\n             ^\nSyntaxError: Expression expected.");
  assert.match(await failure("const ok = 1;\nfunction f() { await 1 }"), /^cell:2:\d+\nfunction f\(\) \{ await 1 \}\n +\^\nSyntaxError: /);
  assert.match(await failure("let x = 1;\nbreak;"), /^cell:2:\d+\nbreak;\n\^/);
  assert.equal(await value("typeof globalThis.touched"), "'undefined'");
});

test("what fails after the end of its cell is shown by the next, and survived", async () => {
  const first = await run(session, "setTimeout(() => { console.log('late out'); throw new Error('late') }, 5); Promise.reject(new Error('rejected')); 1");
  const second = await run(session, "await new Promise((resolve) => setTimeout(resolve, 50)); 2");
  const shown = [first, second].map((events) => streamOf(events, "stderr")).join("");
  assert.match(shown, /Uncaught \(in promise\) cell \d+:1:\d+\n[^]*Error: rejected\n/);
  assert.match(shown, /Uncaught cell \d+:1:51\n[^]*Error: late\n/);
  assert.match([first, second].map((events) => streamOf(events) + streamOf(events, "stderr")).join(""), /late out/);
  assert.deepEqual([valueOf(first), valueOf(second)], ["1", "2"]);
});

test("prints keep their order, whoever prints", async () => {
  const events = await run(session, "for (let i = 0; i < 50_000; i++) console.log(i);\nprocess.stdout.write('written\\n'); console.table([{ a: 1 }]);");
  const lines = streamOf(events).split("\n");
  assert.ok(lines.slice(0, 50_000).every((line, index) => line === String(index)));
  assert.equal(lines[50_000], "written");
  assert.match(lines[50_001] ?? "", /^┌/);
  const native = await run(session, "console.log('first'); require('node:fs').writeSync(1, 'second\\n'); require('node:child_process').execSync('echo third; echo fourth >&2', { stdio: 'inherit' });");
  assert.deepEqual(streamOf(native).trim().split("\n").toSorted(), ["first", "second", "third"]);
  assert.equal(streamOf(native, "stderr"), "fourth\n");
});

test("rich values", async () => {
  const [table] = formsOf(await run(session, "Array.from({ length: 1000 }, (_, id) => ({ id, name: '<' + id + '>', at: new Date(0) }))"));
  assert.match(String(table?.["text/html"]), /<th scope="col">name<\/th>[^]*&lt;0&gt;[^]*<p>1,000 rows × 3 columns<\/p>/);
  assert.match(String(table?.["text/plain"]), / {5}id {3}name {3}at/);
  const [png] = formsOf(await run(session, "Buffer.from('iVBORw0KGgo=', 'base64')"));
  assert.equal(png?.["image/png"], "iVBORw0KGgo=");
  const [svg] = formsOf(await run(session, "'<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>'"));
  assert.match(String(svg?.["image/svg+xml"]), /<rect\/>/);
  const [own] = formsOf(await run(session, "({ [Symbol.for('Jupyter.display')]: async () => ({ 'text/html': '<i>own</i>' }) })"));
  assert.equal(own?.["text/html"], "<i>own</i>");
  const [html] = formsOf(await run(session, "({ toHtml: () => '<u>html</u>' })"));
  assert.equal(html?.["text/html"], "<u>html</u>");
  const [colours] = formsOf(await run(session, "class Point { x = 1 }; new Map([['a', new Set([new Point()])]])"));
  assert.match(String(colours?.["text/plain"]), /\u001b\[/);
  assert.match(plain(colours?.["text/plain"]), /Map\(1\) \{ 'a' => Set\(1\) \{ Point \{ x: 1 \} \} \}/);
});

test("things are displayed in their order, updated in place, and cleared", async () => {
  const events = await run(session, "const handle = display('one'); display.html('<b>two</b>'); display(3); handle.update('four'); display.clear({ wait: true }); 'end'");
  const [first, , , update] = events.filter((event) => event.type === "display" || event.type === "displayUpdate");
  assert.deepEqual(formsOf(events).map((forms) => forms["text/plain"]), ["'one'", "<text/html>", "3", "'end'"]);
  assert.ok(first?.type === "display" && update?.type === "displayUpdate" && first.displayId === update.displayId);
  assert.ok(events.some((event) => event.type === "clear" && event.wait));
});

test("a cell asks its user, and is told when nobody can answer", async () => {
  const events: KernelEvent[] = [];
  for await (const event of session.execute("const name = await input('Who? ', { password: true }); 'hello ' + name", { allowInput: true })) {
    events.push(event);
    if (event.type !== "input") continue;
    assert.deepEqual([event.prompt, event.isPassword], ["Who? ", true]);
    event.answer("you");
  }
  assert.equal(valueOf(events), "'hello you'");
  assert.match(await failure("await input()"), /nobody can answer/);
});

for (const [what, code] of Object.entries({
  "a busy loop": "console.log('on'); for (;;);",
  "a busy loop after an await": "console.log('on'); await null; for (;;) JSON.stringify([1]);",
  "a loop that catches everything": "console.log('on'); for (;;) { try { for (;;); } catch {} finally { for (;;); } }",
  "busy timers": "console.log('on'); globalThis.ticking = setInterval(() => { const end = Date.now() + 100; while (Date.now() < end); }, 1); await new Promise(() => {})",
  "a wait": "console.log('on'); await new Promise(() => {})",
  "a display that is never drawn": "display({ [Symbol.for('Jupyter.display')]: () => { console.log('on'); return new Promise(() => {}) } }); 5",
  "a question": "console.log('on'); await input('?')",
})) {
  test(`${what} is interrupted, and the session keeps its variables and goes on`, async () => {
    await value("var kept = 'yes'");
    const events = await during(session, code, () => session.interrupt(), { allowInput: true });
    assert.equal(outcomeOf(events), "error");
    assert.match(errorText(events), /^Interrupted: the cell was interrupted$/);
    assert.equal(await value("clearInterval(globalThis.ticking); await new Promise((resolve) => setTimeout(resolve, 5)); kept"), "'yes'");
  });
}

test("a cell that fails while its display is never drawn ends, and later ones are shown", async () => {
  assert.match(await failure("display({ [Symbol.for('Jupyter.display')]: () => new Promise(() => {}) }); throw new Error('own')"), /Error: own/);
  assert.deepEqual(formsOf(await run(session, "display('next'); undefined")).map((forms) => forms["text/plain"]), ["'next'"]);
});

test("after many interrupts it still works", async () => {
  for (let round = 0; round < 5; round++) {
    await during(session, "await new Promise((r) => setTimeout(r, 1)); console.log('on'); for (;;);", () => session.interrupt());
    assert.equal(await value("await new Promise((resolve) => setTimeout(resolve, 1)); 1"), "1");
  }
});

test("a cell that is interrupted while it is compiled never begins", async () => {
  const next = run(session, `${"void 0;\n".repeat(20_000)}globalThis.hasBegun = true; for (;;);`);
  await session.interrupt();
  assert.match(errorText(await next), /^Interrupted: /);
  assert.equal(await within(30_000, "the next cell", value("typeof hasBegun")), "'undefined'");
});

test("what an interrupted cell waited for comes later and never ends: whatever is next gets through by itself", async () => {
  const [call, sign] = [join(folder.path, "call"), join(folder.path, "awake")];
  const leave = "console.log('on'); const fs = require('node:fs'); while (!fs.existsSync('call')) await new Promise((resolve) => setTimeout(resolve, 5)); fs.writeFileSync('awake', ''); for (;;);";
  const nexts: Record<string, () => Promise<unknown>> = {
    "a cell": () => value("1"),
    "a cell that is armed": () => session.arm(armedRun),
    "a cell that is interrupted before its turn": async () => {
      const next = run(session, "for (;;);");
      await session.interrupt();
      assert.match(errorText(await next), /^Interrupted: /);
    },
  };
  for (const [what, next] of Object.entries(nexts)) {
    await during(session, leave, () => session.interrupt());
    await value("var kept = 'still'");
    writeFileSync(call, "");
    await until("what was left is busy", () => existsSync(sign));
    await within(30_000, what, next());
    assert.equal(await value("kept"), "'still'", what);
    for (const file of [call, sign]) rmSync(file);
  }
});

test("process.exit ends the session, which starts again and says so", async () => {
  const events = await run(session, "console.log('before'); process.exit(3)");
  assert.equal(outcomeOf(events), "lost");
  assert.equal(streamOf(events), "before\n");
  assert.match(errorText(events), /called process\.exit\(3\).*variables are gone/);
  assert.equal(await value("typeof kept"), "'undefined'");
});

test("a full memory ends the session, which starts again and says so", async () => {
  const events = await run(session, "const all = []; for (;;) all.push(new Array(1e5).fill(all.length))");
  assert.equal(outcomeOf(events), "lost");
  assert.match(errorText(events), /memory is full.*200 MiB/);
  await statusOf(session, "idle");
});

test("what is queued behind a cell that ends the session is lost too", async () => {
  const [first, second] = await Promise.all([run(session, "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})"), run(session, "1")]);
  assert.deepEqual([outcomeOf(first), outcomeOf(second)], ["lost", "lost"]);
  assert.match(errorText(first), /SIGKILL/);
  assert.equal(await value("1"), "1");
});

test("a Node that is none is named", async () => {
  await assert.rejects(startSession(folder.path, { nodePath: "/nowhere/node" }), { code: "BURLA_KERNEL", message: /\/nowhere\/node.*could not be started/s });
  await assert.rejects(startSession(folder.path, { nodePath: "/bin/false" }), { code: "BURLA_KERNEL", message: /\/bin\/false.*ended with code 1/s });
});

test("a session ends with its owner, also when that is killed while a cell is busy", async () => {
  const owner = spawn(process.execPath, ["--import", "tsx", fileURLToPath(new URL("owner.ts", import.meta.url)), folder.path], { stdio: ["ignore", "pipe", "inherit"] });
  let pid = 0;
  for await (const line of createInterface({ input: owner.stdout })) {
    pid = Number(line);
    break;
  }
  assert.ok(pid > 0 && isAlive(pid));
  owner.kill("SIGKILL");
  await until("the session has ended", () => !isAlive(pid));
});
