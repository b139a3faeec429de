/**
 * A thread that hears the session's owner while a cell keeps the main thread busy: it passes commands on, ends a cell
 * that does not listen, and ends the program when the owner is gone.
 */
import { Session } from "node:inspector";
import { Socket } from "node:net";
import { parentPort } from "node:worker_threads";
import { LineSplitter } from "../lines.ts";
import { COMMANDS_FD, MAX_MESSAGE_LENGTH } from "../messages.ts";

/** After an interrupt, code that does not give way within this time is ended by force. Time and again: it may be many calls. */
const PATIENCE_MS = 300;

let force: NodeJS.Timeout | undefined;
/** Only while it is needed: a program that ends waits for those who inspect it. */
let inspector: Session | undefined;

function hear(line: string): void {
  parentPort?.postMessage(line);
  const { type } = JSON.parse(line) as { type?: unknown };
  if (type !== "interrupt") return;
  giveWay();
  force = setInterval(endByForce, PATIENCE_MS);
}

function endByForce(): void {
  if (inspector === undefined) {
    inspector = new Session();
    inspector.connectToMainThread();
  }
  inspector.post("Runtime.terminateExecution");
}

/** The main thread has heard the interrupt, or another one begins. */
function giveWay(): void {
  clearInterval(force);
  inspector?.disconnect();
  inspector = undefined;
}

const lines = new LineSplitter(MAX_MESSAGE_LENGTH);
const commands = new Socket({ fd: COMMANDS_FD, readable: true, writable: false });
commands.on("data", (bytes) => {
  for (const line of lines.push(bytes)) hear(line);
});
commands.on("error", () => undefined);
commands.on("close", () => process.kill(process.pid, "SIGKILL"));
parentPort?.on("message", giveWay);
