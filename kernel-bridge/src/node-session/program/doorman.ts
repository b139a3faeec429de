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
import { GATE } from "./gate.ts";

/** Code that does not give way within this time is ended by force. */
const PATIENCE_MS = 300;
/** A cell for the cluster is busy with what it sends there, too, and hears an interrupt in between: by force, its job might be left. */
const PATIENCE_WITH_ARMED_MS = 2_000;
/** What runs between cells may be meant to: a timer of a cell that was not interrupted. */
const PATIENCE_BETWEEN_CELLS_MS = 2_000;
/** Then the main thread is told again so often, and meets force at every third time. */
const REPEAT_MS = 100;
const FORCE_EVERY = 3;

let timer: NodeJS.Timeout | undefined;
/** Only while it is needed: a program that ends waits for those who inspect it. */
let inspector: Session | undefined;
/** Calls that end what the main thread runs, and that it has not felt yet. */
let underWay = 0;
const gate = new Int32Array(workerData as SharedArrayBuffer);

/**
 * From the first interrupt on. What an interrupted cell waited for may come at any later time and keep the main thread busy
 * without an end: it has to give way to whatever comes next.
 */
let hasInterrupted = false;
/** What waits until the main thread has let itself be heard. */
let held: string[] = [];
/** An interrupt that came meanwhile is for a cell among those. */
let isForHeld = false;
/** Of the cell that came last. */
let isArmed = false;

const INTERRUPT = '{"type":"interrupt"}';

function hear(line: string): void {
  const { type, armed } = JSON.parse(line) as { type?: unknown; armed?: unknown };
  if (type === "execute") isArmed = armed !== null;
  if (type === "interrupt") return interrupt();
  if (!hasInterrupted || (type !== "execute" && type !== "prepare")) return parentPort?.postMessage(line);
  held.push(line);
  knock(PATIENCE_BETWEEN_CELLS_MS);
}

function interrupt(): void {
  hasInterrupted = true;
  isForHeld = held.length > 0;
  knock(isArmed ? PATIENCE_WITH_ARMED_MS : PATIENCE_MS);
}

/** Also an interrupt for the main thread, which has no cell to end when it comes between two. */
function knock(patienceMs: number): void {
  parentPort?.postMessage(INTERRUPT);
  clearTimeout(timer);
  timer = setTimeout(() => press(0), patienceMs);
}

function press(round: number): void {
  if (round % FORCE_EVERY === 0) force();
  else parentPort?.postMessage(INTERRUPT);
  timer = setTimeout(() => press(round + 1), REPEAT_MS);
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
  // It has waited too long and gone on: it is told again.
  if (Atomics.compareExchange(gate, 0, GATE.closed, GATE.open) !== GATE.closed) return;
  clearTimeout(timer);
  inspector?.disconnect();
  inspector = undefined;
  Atomics.notify(gate, 0);
  for (const line of held) parentPort?.postMessage(line);
  held = [];
  if (isForHeld) interrupt();
}

const lines = new LineSplitter(MAX_MESSAGE_LENGTH);
const commands = new Socket({ fd: COMMANDS_FD, readable: true, writable: false });
commands.on("data", (bytes) => {
  for (const line of lines.push(bytes)) hear(line);
});
commands.on("error", () => undefined);
commands.on("close", () => process.kill(process.pid, "SIGKILL"));
parentPort?.on("message", open);
