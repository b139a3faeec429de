/**
 * A worker is warm when the machinery around the user's function is: loaded, compiled and optimised by V8. It holds the
 * conversation of a job with itself, over a real socket, with a function that does nothing. Without it 20,000 calls of
 * such a function cost each of two workers 40 ms of processor time, with it 12 ms (Node 20, two shared cores).
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { resolve } from "node:path";
import { Connection, encodeValues, nodeToWorker, workerToNode, type NodeToWorker, type WorkerToNode } from "@burla/protocol";
import type { UserFunction } from "./load.ts";
import type { Output } from "./output.ts";
import { Runner } from "./run.ts";

/** Sizes of grants as a job has them: single ones first, then more and more. */
const GRANTS = [1, 1, 4, 64, 64, 256, 512, 512, 1024, 1024, 2048, 2048, 2048, 1024, 256, 64, 4, 1];
/** The loader's first import of a module that looks like a bundle costs several milliseconds, whatever the module does. */
const EMPTY_MODULE = `import { deserialize } from "node:v8";
export default () => (input) => {
  if (input % 100 === 7) return Promise.resolve(input);
  if (input % 300 === 8) throw new Error("warm-up");
  return input;
};
//# sourceMappingURL=data:application/json,${encodeURIComponent(JSON.stringify({ version: 3, names: [], sources: ["warm-up"], mappings: "AAAA" }))}`;

/** Between grants, of about a millisecond, it asks whether the worker is needed, and then leaves the rest. */
export async function warmUp(output: Output, isNeeded: () => boolean): Promise<void> {
  process.setSourceMapsEnabled(true);
  const module = (await import(`data:text/javascript,${encodeURIComponent(EMPTY_MODULE)}`)) as { default: () => UserFunction };
  const [near, far] = await socketPair();
  const worker: Connection<NodeToWorker, WorkerToNode> = new Connection(near, {
    incoming: nodeToWorker,
    software: "burla worker",
    silenceMs: 0,
    onMessage: (message, body) => message.type === "run" && runner.enqueue(message, body),
    onClose: () => undefined,
  });
  const runner = new Runner(worker, output);
  runner.begin(module.default(), { concurrency: 1, timed: false, takesContext: true, worker: undefined });
  let answered = 0;
  let heard = (): void => undefined;
  const node: Connection<WorkerToNode, NodeToWorker> = new Connection(far, {
    incoming: workerToNode,
    software: "burla node",
    silenceMs: 0,
    onMessage: (message) => {
      if (message.type === "workerResults") answered += message.count;
      heard();
    },
    onClose: () => heard(),
  });
  let granted = 0;
  for (const [grantId, count] of GRANTS.entries()) {
    if (isNeeded()) break;
    node.send({ type: "run", grantId, first: granted, from: 0, to: count, attempt: 1 }, encodeValues(Array.from({ length: count }, (_, index) => index)));
    granted += count;
    while (answered < granted && !node.closed) await new Promise<void>((resolve) => (heard = resolve));
  }
  node.close();
  worker.close();
}

async function socketPair(): Promise<[Socket, Socket]> {
  // In the scratch folder, and absolute: the job may move the process to the user's folder meanwhile.
  const path = resolve(`warm-up-${process.pid}`);
  const server = createServer().listen(path);
  try {
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const near = connect(path);
    return [near, (await accepted)[0]];
  } finally {
    server.close();
  }
}
