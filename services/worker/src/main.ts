/**
 * The worker service: one process (or container) that loads one job's function and calls it. It dials its node over a
 * socket, and ends when that connection ends.
 *
 * Environment: BURLA_WORKER_SOCKET, BURLA_WORKER_ID, BURLA_WORKER_TOKEN, and the files BURLA_WORKER_STDOUT and
 * BURLA_WORKER_STDERR, which file descriptors 1 and 2 are, opened for appending, or become. Beside those lie the files that
 * lines go to (`protocol/src/printed.ts`).
 */
import { connect } from "node:net";
import { Connection, encodeEnvelopes, nodeToWorker, toEnvelope, type NodeToWorker, type Of, type WorkerId, type WorkerToNode } from "@burla/protocol";
import { guardProcess, type Guarded } from "./guard.ts";
import { loadFunctions, type UserFunctions } from "./load.ts";
import { asOwnMethod, asOwnWork, keepMethods } from "./originals.ts";
import { captureOutput } from "./output.ts";
import { redirectOutput } from "./redirect.ts";
import { Runner } from "./run.ts";
import { SetUp, SetupFailure } from "./set-up.ts";
import { userStack } from "./stack.ts";
import { warmUp } from "./warm-up.ts";

function take(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the worker service needs ${name}; it is started by the node service`);
  Reflect.deleteProperty(process.env, name);
  return value;
}

/** Without its node nobody would end what the user's code has started: the process group goes, this process with it. */
function endWithChildren(): void {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    process.exit(0);
  }
}

function start(): void {
  // Stays in the environment: by it the node finds what the user's code has started and left behind.
  const workerId = process.env["BURLA_WORKER_ID"] as WorkerId;
  const token = take("BURLA_WORKER_TOKEN");
  const files = { stdout: take("BURLA_WORKER_STDOUT"), stderr: take("BURLA_WORKER_STDERR") };
  redirectOutput(files);
  const socket = connect(take("BURLA_WORKER_SOCKET"));
  keepMethods(socket, ["emit"]);
  asOwnMethod(socket, "push");
  const connection: Connection<NodeToWorker, WorkerToNode> = new Connection(socket, {
    incoming: nodeToWorker,
    software: `burla worker ${workerId}`,
    silenceMs: 0,
    around: asOwnWork,
    onMessage: (message, body) => receive(message, body),
    onClose: () => endWithChildren(),
    // Ends the process with its stack, which its node passes on.
    onFault: (error) => {
      throw error;
    },
  });
  const output = captureOutput(files, (isUrgent) => {
    connection.send({ type: "printed" });
    if (isUrgent) connection.flush();
  });
  // Made when the worker is warm: an older one would have a hidden class of its own, which optimised code does not expect.
  let runner: Runner | undefined;
  let settingUp: SetUp | undefined;
  guardProcess((): Guarded | undefined => settingUp ?? runner);
  connection.send({ type: "workerHello", workerId, token, pid: process.pid });
  let isNeeded = false;
  warmUp(output, () => isNeeded).catch(() => undefined);

  function receive(message: NodeToWorker, body: Uint8Array): void {
    isNeeded = true;
    if (message.type === "run") return runner?.enqueue(message, body);
    if (message.type !== "load") return;
    const job = (runner = new Runner(connection, output));
    void prepare(job, message, body).catch((error: unknown) => {
      output.end();
      connection.send({ type: "loaded", ok: false }, envelopesOf(error));
    });
  }

  async function setUp(setup: NonNullable<UserFunctions["setup"]>, job: Runner): Promise<unknown> {
    connection.send({ type: "setupStarted" });
    connection.flush();
    settingUp = new SetUp(job, output);
    try {
      return await settingUp.run(setup);
    } finally {
      settingUp = undefined;
    }
  }

  async function prepare(job: Runner, message: Of<NodeToWorker, "load">, values: Uint8Array): Promise<void> {
    const { call, takesContext, setup } = await loadFunctions(message, values);
    const worker = setup === null ? undefined : await setUp(setup, job);
    job.begin(call, { ...message, takesContext, worker });
    connection.send({ type: "loaded", ok: true });
  }
}

/** The error of a job that cannot begin, and what caused it. */
function envelopesOf(error: unknown): Uint8Array {
  const errors = error instanceof SetupFailure ? [error.told, error.thrown] : [error];
  return encodeEnvelopes(errors.map((each) => toEnvelope(each, userStack)));
}

start();
