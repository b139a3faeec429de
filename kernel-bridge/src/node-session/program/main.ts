/** The program of a session: runs the cells that its owner sends, one after the other, and says what becomes of them. */
import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { messageOf } from "@burla/protocol";
import { register as registerCommonJs } from "tsx/cjs/api";
import { register as registerModules } from "tsx/esm/api";
import * as v from "valibot";
import { commandSchema, markText, type ExecuteCommand } from "../messages.ts";
import { adopt } from "./armed/changes.ts";
import { ArmedDesk } from "./armed/desk.ts";
import { CellMaps } from "./cells/cell-maps.ts";
import { SESSION } from "./cells/session-names.ts";
import { captureConsole } from "./console.ts";
import { CurrentExecution } from "./current.ts";
import { errorReport, textOf } from "./errors.ts";
import { GATE } from "./gate.ts";
import { Questions } from "./questions.ts";
import { Reporter } from "./reporter.ts";
import { CellRunner, type CellValue } from "./run-cell.ts";
import { SessionScope } from "./scope.ts";
import { Screen } from "./screen.ts";
import { bundleOf } from "./shown/bundle.ts";
import { installHelpers } from "./shown/helpers.ts";
import { loadTypeScript } from "./typescript.ts";

const [, , language, burla] = process.argv as [string, string, "typescript" | "javascript", string];

const GATE_TIMEOUT_MS = 1_000;
const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
const reporter = new Reporter();
const maps = new CellMaps(fileURLToPath(import.meta.url));
const scope = new SessionScope(process.cwd(), burla);
const cells = new CellRunner({ language, scope, maps });
const desk = new ArmedDesk({ burla, reporter, maps });
scope.provide("burla", { last: desk.last });
const screen = new Screen(reporter);
const questions = new Questions(reporter);
let current: CurrentExecution | undefined;

async function execute(command: ExecuteCommand): Promise<void> {
  const execution = new CurrentExecution(command.cellId, command.allowInput);
  current = execution;
  let outcome: "ok" | "error" = "ok";
  try {
    const result = await execution.race(runCommand(command, execution));
    await execution.race(screen.isDrawn);
    if (result !== undefined && result.value !== undefined && !command.silent) {
      reporter.say({ type: "value", data: await execution.race(bundleOf(result.value)), metadata: {} });
    }
  } catch (error) {
    outcome = "error";
    reporter.say(errorReport(error, maps));
    await screen.finish();
  }
  questions.forget();
  current = undefined;
  end(outcome);
}

async function runCommand({ code, label, armed }: ExecuteCommand, execution: CurrentExecution): Promise<CellValue | undefined> {
  const value = await cells.run(code, label, await desk.begin(armed, label, execution), execution.signal);
  desk.finish(armed);
  return value;
}

/** What native code has written by now is heard before the end: it comes by other ways. */
function end(outcome: "ok" | "error"): void {
  const mark = `m-${randomUUID()}`;
  for (const fd of [1, 2]) {
    try {
      writeSync(fd, markText(mark));
    } catch {
      // Closed, by the code: then nothing can come by it.
    }
  }
  reporter.say({ type: "ended", outcome, mark });
}

function hear(line: string): void {
  const command = v.parse(commandSchema, JSON.parse(line));
  switch (command.type) {
    case "execute":
      return void execute(command);
    case "interrupt":
      return standAtGate(command.knock) ? current?.interrupt() : undefined;
    case "answer":
      return questions.answer(command.inputId, command.text);
    case "prepare":
      return void desk.prepare().then(
        () => reporter.say({ type: "prepared", problem: null }),
        (error: unknown) => reporter.say({ type: "prepared", problem: messageOf(error) }),
      );
  }
}

/** Whether nothing that ends cells by force is under way any more: see `doorman.ts`. If not, we are told again. */
function standAtGate(knock: number | undefined): boolean {
  Atomics.store(gate, 0, GATE.closed);
  doorman.postMessage(knock);
  Atomics.wait(gate, 0, GATE.closed, GATE_TIMEOUT_MS);
  return Atomics.compareExchange(gate, 0, GATE.closed, GATE.left) === GATE.open;
}

/** What fails outside of any cell's own promise is shown, and the session goes on. */
function complain(what: string, error: unknown): void {
  process.stderr.write(`${what} ${error instanceof Error ? textOf(error, maps) : String(error)}\n`);
}

registerModules();
registerCommonJs();
maps.install();
captureConsole(reporter);
installHelpers({
  display: (value, options) => screen.show(value, options),
  forms: (forms, options) => screen.showForms(forms, options),
  clear: (options) => reporter.say({ type: "clear", wait: options?.wait ?? false }),
  input: (prompt, options) => questions.ask(current, prompt, options),
});
const forCells = {
  shadows: scope.shadows,
  imported: scope.imported.bind(scope),
  map: desk.map.bind(desk),
  loop: desk.loop.bind(desk),
  call: async (body: Parameters<typeof desk.call>[0]) => {
    const result = await desk.call(body);
    for (const [name, reason] of result.lost) process.stderr.write(`Burla: \`${name}\` cannot be sent back from the worker: ${reason}\n`);
    return adopt(scope, result);
  },
};
Object.defineProperty(globalThis, SESSION, { value: forCells });
process.argv.splice(2);
process.on("uncaughtException", (error) => complain("Uncaught", error));
process.on("unhandledRejection", (error) => complain("Uncaught (in promise)", error));
process.on("exit", (code) => reporter.say({ type: "exiting", code }));

const doorman = new Worker(new URL("session-doorman.mjs", import.meta.url), { workerData: gate.buffer });
doorman.on("message", hear);
reporter.say({ type: "ready" });
void loadTypeScript();
