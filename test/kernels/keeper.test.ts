/** What becomes of the job of a cell when its kernel ends: with the program that keeps kernels for the editor, as it is built. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CELL_VIEW_MIME, type CellView } from "@burla/kernel-bridge";
import type { KernelChoice, Output, Question, Snapshot, ToWindow } from "../../extension/src/keeper/messages.ts";
import { KeeperLink, startKeeper } from "../../extension/src/notebooks/keeper-link.ts";
import { PYTHON } from "../../scripts/jupyter/install.ts";
import { useCluster } from "../support/cluster.ts";
import { processesWith } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { armedRun } from "./session.ts";

const PROGRAM = fileURLToPath(new URL("../../extension/dist/keeper.mjs", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "burla-keeper-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const cluster = useCluster();
const keepers = () => processesWith(cluster.home).filter(({ command }) => command.includes("keeper.mjs"));

interface Language {
  readonly kernel: KernelChoice;
  /** Shows the process of the kernel. */
  readonly pid: string;
  /** Asks for a name and a password, and prints both. */
  readonly asks: string;
  /** A map whose calls end when there is such a file. */
  readonly cell: (sign: string) => string;
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  TypeScript: {
    kernel: { type: "node", language: "typescript", folder },
    pid: "console.log(process.pid)",
    asks: "const name = await input('Name?'); console.log(name, await input('Word?', { password: true }))",
    cell: (sign) => `const waited = await Promise.all([1, 2].map(async (x) => { while (!(await import("node:fs")).existsSync(${JSON.stringify(sign)})) await new Promise((r) => setTimeout(r, 20)); return x }))`,
  },
  Python: {
    kernel: { type: "local", python: PYTHON, folder },
    pid: "import os, time\nprint(os.getpid())",
    asks: "from getpass import getpass\nname = input('Name?')\nprint(name, getpass('Word?'))",
    cell: (sign) => `def wait(x):\n    while not os.path.exists(${JSON.stringify(sign)}): time.sleep(0.02)\n    return x\nwaited = [wait(x) for x in range(2)]`,
  },
};

/** A window that shows one notebook. */
class Window {
  readonly link: KeeperLink;
  /** What an earlier window has left. */
  readonly left: readonly Snapshot[];
  readonly #socket: string;
  readonly #heard: ToWindow[];

  private constructor(socket: string, link: KeeperLink, left: readonly Snapshot[], heard: ToWindow[]) {
    this.link = link;
    this.left = left;
    this.#socket = socket;
    this.#heard = heard;
  }

  static async start(kernel: KernelChoice, aloneTimeoutMs?: number): Promise<Window> {
    const socket = join(folder, `${Math.random().toString(36).slice(2)}.sock`);
    await startKeeper(PROGRAM, process.execPath, { socket, kernel, spoolFolder: folder, ...(aloneTimeoutMs !== undefined && { aloneTimeoutMs }) });
    return Window.#open(socket);
  }

  static async #open(socket: string): Promise<Window> {
    const heard: ToWindow[] = [];
    const { link, executions } = await KeeperLink.open(socket, { onMessage: (message) => void heard.push(message), onGone: () => undefined });
    return new Window(socket, link, executions, heard);
  }

  /** As after a reload. */
  again(): Promise<Window> {
    this.link.leave();
    return Window.#open(this.#socket);
  }

  get #outputs(): Output[] {
    const changes = this.#heard.flatMap((message) => (message.type === "outputs" ? message.changes : []));
    return changes.flatMap((change) => (change.op === "append" || change.op === "replace" ? [change.output] : []));
  }

  execute(executionId: string, code: string): void {
    this.link.execute(executionId, { code, cellId: armedRun.cellId, mark: "" });
  }

  outcome(executionId: string): Promise<string> {
    return until(`${executionId} has ended`, () => this.#heard.flatMap((message) => (message.type === "ended" && message.executionId === executionId ? [message.outcome] : []))[0]);
  }

  /** What was printed first. */
  printed(): Promise<string> {
    return until("something is printed", () => this.#outputs.find((output) => output.kind === "stream")?.text);
  }

  question(): Promise<Question> {
    return until("a question has come", () => this.#heard.flatMap((message) => (message.type === "question" ? [message.question] : []))[0]);
  }

  /** The job, once its calls run. */
  running(): Promise<CellView> {
    const views = () => this.#outputs.flatMap((output) => (output.kind === "display" && CELL_VIEW_MIME in output.data ? [output.data[CELL_VIEW_MIME] as CellView] : []));
    return until("the calls run", () => views().find(({ phase, running }) => phase === "running" && running > 0));
  }
}

for (const [name, { kernel, pid, asks, cell }] of Object.entries(LANGUAGES)) {
  let sign = "";

  /** A job whose calls wait for their sign, and the window that shows it. */
  const start = async (aloneTimeoutMs?: number) => {
    sign = join(folder, `sign-${Math.random()}`);
    const window = await Window.start(kernel, aloneTimeoutMs);
    window.execute("setup", pid);
    const kernelPid = Number(await window.printed());
    assert.equal(await window.outcome("setup"), "ok");
    await window.link.arm(armedRun);
    window.execute("armed", cell(sign));
    const { jobId } = await window.running();
    assert.ok(jobId !== null);
    return { window, kernelPid, jobId };
  };
  const goesOn = async (jobId: string) => {
    assert.equal((await cluster.job(jobId)).phase, "running");
    writeFileSync(sign, "");
    await until("the job is done", async () => (await cluster.job(jobId)).phase === "done");
  };
  const noKeeper = () => until("the keeper has ended", () => keepers().length === 0);

  test(`${name}: a cell asks the window that is there, also one that comes in the middle`, async () => {
    const first = await Window.start(kernel);
    first.execute("asks", asks);
    const question = await first.question();
    assert.deepEqual([question.prompt, question.isPassword], ["Name?", false]);
    const second = await first.again();
    assert.deepEqual(second.left.map((snapshot) => snapshot.question), [question]);
    second.link.answer("asks", question.inputId, "Ada");
    const hidden = await second.question();
    assert.deepEqual([hidden.prompt, hidden.isPassword], ["Word?", true]);
    second.link.answer("asks", hidden.inputId, "secret");
    assert.equal(await second.outcome("asks"), "ok");
    assert.equal(await second.printed(), "Ada secret\n");
    second.link.end();
    await noKeeper();
  });

  test(`${name}: a cell that asks is interrupted`, async () => {
    const window = await Window.start(kernel);
    window.execute("asks", asks);
    await window.question();
    await window.link.interrupt();
    assert.equal(await window.outcome("asks"), "error");
    window.link.end();
    await noKeeper();
  });

  test(`${name}: the job ends with its notebook`, async () => {
    const { window, jobId } = await start();
    window.link.end();
    await noKeeper();
    await until("the job is cancelled", async () => (await cluster.job(jobId)).phase === "cancelled");
  });

  test(`${name}: a restart of the kernel ends the job`, async () => {
    const { window, jobId } = await start();
    await window.link.restart();
    await until("the job is cancelled", async () => (await cluster.job(jobId)).phase === "cancelled");
    window.link.end();
    await noKeeper();
  });

  test(`${name}: a window that does not come back leaves the job, not the kernel`, async () => {
    const { window, jobId, kernelPid } = await start(50);
    window.link.leave();
    await noKeeper();
    await until("the kernel has ended", () => !existsSync(`/proc/${kernelPid}`));
    await goesOn(jobId);
  });

  test(`${name}: a kernel that is killed leaves the job`, async () => {
    const { window, jobId, kernelPid } = await start();
    process.kill(kernelPid, "SIGKILL");
    assert.equal(await window.outcome("armed"), "lost");
    await goesOn(jobId);
    window.link.end();
    await noKeeper();
  });
}
