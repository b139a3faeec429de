/**
 * The kernel host: a program that starts kernels and speaks ZeroMQ with them, so that the addon is loaded by a plain Node
 * and never by the editor. It answers as a Jupyter server would, over IPC. When its owner is gone, by whatever means, the
 * channel closes, and the kernels end with it.
 */
import { randomUUID } from "node:crypto";
import * as v from "valibot";
import { messageOf } from "@burla/protocol";
import { KernelProcess } from "./kernel-process.ts";
import { frameSchema, startSchema, toHostSchema, type FromHost, type ToHost } from "./messages.ts";
import { findSpecs, specOf } from "./specs.ts";

interface HostedKernel {
  readonly id: string;
  readonly name: string;
  readonly process: KernelProcess;
  readonly sockets: Map<number, string>;
}

type Answer = readonly [status: number, body: unknown];

const kernels = new Map<string, HostedKernel>();
const socketOwners = new Map<number, HostedKernel>();

function say(message: FromHost): void {
  if (process.connected) process.send?.(message);
}

async function answer({ method, path, body }: Extract<ToHost, { type: "request" }>): Promise<Answer> {
  const { pathname, searchParams } = new URL(path, "http://kernel-host.invalid/");
  const [kind, id, action] = pathname.replace(/^\/api\//, "").split("/");
  if (kind === "kernelspecs") return [200, await specsModel()];
  if (kind !== "kernels") return [404, { message: "not a part of this host" }];
  if (id === undefined) return method === "POST" ? start(body) : [200, [...kernels.values()].map(modelOf)];
  const kernel = kernels.get(decodeURIComponent(id));
  if (kernel === undefined) return [404, { message: `there is no kernel ${id}` }];
  if (method === "DELETE") return remove(kernel, { now: searchParams.get("now") === "true" });
  if (action === "interrupt") return kernel.process.interrupt(), [204, null];
  if (action === "restart") await kernel.process.restart();
  return [200, modelOf(kernel)];
}

async function start(body: string | null): Promise<Answer> {
  const { name, path } = v.parse(startSchema, JSON.parse(body ?? "{}"));
  const spec = await specOf(name);
  if (spec === undefined) return [404, { message: `there is no kernel ${name} on this machine` }];
  const sockets = new Map<number, string>();
  const onFrame = (text: string, session: string | null) => {
    for (const [socket, owner] of sockets) if (session === null || session === owner) say({ type: "frame", socket, text });
  };
  const kernel = { id: randomUUID(), name, sockets, process: new KernelProcess({ spec, name, cwd: path ?? undefined, onFrame, onDeath: () => undefined }) };
  kernels.set(kernel.id, kernel);
  try {
    await kernel.process.start();
  } catch (error) {
    kernels.delete(kernel.id);
    throw error;
  }
  return [201, modelOf(kernel)];
}

async function remove(kernel: HostedKernel, how: { now: boolean }): Promise<Answer> {
  kernels.delete(kernel.id);
  await kernel.process.stop(how);
  return [204, null];
}

function modelOf({ id, name, process: { isAlive } }: HostedKernel): unknown {
  return { id, name, execution_state: isAlive ? "idle" : "dead" };
}

async function specsModel(): Promise<unknown> {
  const found = await findSpecs();
  const kernelspecs = Object.fromEntries([...found].map(([name, spec]) => [name, { name, spec, resources: {} }]));
  return { default: found.has("python3") ? "python3" : ([...found.keys()][0] ?? ""), kernelspecs };
}

function hear(message: ToHost): void {
  switch (message.type) {
    case "request":
      void answer(message)
        .catch((error: unknown): Answer => [500, { message: messageOf(error) }])
        .then(([status, body]) => say({ type: "response", id: message.id, status, body: body === null ? null : JSON.stringify(body) }));
      return;
    case "open": {
      const kernel = kernels.get(message.kernelId);
      if (kernel === undefined || !kernel.process.isAlive) return say({ type: "closed", socket: message.socket });
      kernel.sockets.set(message.socket, message.session);
      socketOwners.set(message.socket, kernel);
      return say({ type: "opened", socket: message.socket });
    }
    case "frame": {
      const frame = v.safeParse(frameSchema, JSON.parse(message.text));
      if (!frame.success) return say({ type: "closed", socket: message.socket });
      return socketOwners.get(message.socket)?.process.send(frame.output);
    }
    case "close":
      socketOwners.get(message.socket)?.sockets.delete(message.socket);
      socketOwners.delete(message.socket);
  }
}

process.on("message", (message) => hear(v.parse(toHostSchema, message)));
process.once("disconnect", () => {
  for (const kernel of kernels.values()) kernel.process.kill();
  process.exit();
});
// The owner decides when kernels end: a terminal's Ctrl-C is for the owner.
for (const name of ["SIGINT", "SIGHUP"] as const) process.on(name, () => undefined);
