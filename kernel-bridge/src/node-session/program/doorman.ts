/**
 * A thread that hears the session's owner while a cell keeps the main thread busy: it passes commands on, ends a cell
 * that does not listen, and ends the program when the owner is gone.
 *
 * An interrupt: the main thread is told, again and again, and what it runs meanwhile is ended by force. Once it hears, it
 * says so and stands still at a gate, which opens when no force is under way any more. So force never meets what comes
 * after the interrupted execution.
 */
import { Session } from "node:inspector";
import { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { LineSplitter } from "../lines.ts";
import { COMMANDS_FD, MAX_MESSAGE_LENGTH } from "../messages.ts";

/** Code that does not give way within this time is ended by force. */
const PATIENCE_MS = 300;
/** Then the main thread is told again so often, and meets force at every third time. */
const REPEAT_MS = 100;
const FORCE_EVERY = 3;

let timer: NodeJS.Timeout | undefined;
/** Only while it is needed: a program that ends waits for those who inspect it. */
let inspector: Session | undefined;
/** Calls that end what the main thread runs, and that it has not felt yet. */
let underWay = 0;
const gate = new Int32Array(workerData as SharedArrayBuffer);

/** What an interrupted cell has left behind may be busy by now: it has to give way to the next one too. */
let isAfterInterrupt = false;
/** The next cell, while that is so. */
let held: string | undefined;

const INTERRUPT = '{"type":"interrupt"}';

function hear(line: string): void {
  const { type } = JSON.parse(line) as { type?: unknown };
  const isHeld = type === "execute" && isAfterInterrupt;
  if (isHeld) held = line;
  else parentPort?.postMessage(line);
  if (isHeld) parentPort?.postMessage(INTERRUPT);
  if (!isHeld && type !== "interrupt") return;
  clearTimeout(timer);
  timer = setTimeout(() => press(INTERRUPT, 0), PATIENCE_MS);
}

function press(line: string, round: number): void {
  if (round % FORCE_EVERY === 0) force();
  else parentPort?.postMessage(line);
  timer = setTimeout(() => press(line, round + 1), REPEAT_MS);
}

function force(): void {
  if (underWay > 0) return;
  if (inspector === undefined) {
    inspector = new Session();
    inspector.connectToMainThread();
  }
  underWay++;
  inspector.post("Runtime.terminateExecution", () => underWay--);
}

/** The main thread stands at the gate. What is under way ends its waiting; then it is told once more. */
function open(): void {
  if (underWay > 0) return;
  clearTimeout(timer);
  inspector?.disconnect();
  inspector = undefined;
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  isAfterInterrupt = held === undefined;
  if (held !== undefined) parentPort?.postMessage(held);
  held = undefined;
}

const lines = new LineSplitter(MAX_MESSAGE_LENGTH);
const commands = new Socket({ fd: COMMANDS_FD, readable: true, writable: false });
commands.on("data", (bytes) => {
  for (const line of lines.push(bytes)) hear(line);
});
commands.on("error", () => undefined);
commands.on("close", () => process.kill(process.pid, "SIGKILL"));
parentPort?.on("message", open);
