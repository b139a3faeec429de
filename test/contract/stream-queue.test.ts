/** The queue in main: the real service, spoken to over its port. */
import { Connection, mainToClient, mainToNode, newJobId, openStream, type ClientToMain, type MainToClient, type MainToNode, type NodeId, type NodeToMain } from "@burla/protocol";
import { StreamFeed } from "../../client/src/stream-feed.ts";
import { StreamWork } from "../../services/node/src/stream-work.ts";
import { startMain } from "../wire/main-process.ts";
import { jobQueueContract } from "./job-queue.ts";
import { ClientSide, CODE, NodeSide, specOf, type QueueBench } from "./queue-bench.ts";

const SIZE = { cpu: 1, ramMiB: 512, maxCpu: 1, maxRamMiB: 512 };

async function open(): Promise<QueueBench> {
  const main = await startMain(0);
  const { url, token, nodeToken } = main.file;
  const ends: (() => void)[] = [];
  return {
    submit: async (changes) => {
      const spec = specOf(changes);
      const client = new ClientSide(newJobId(), spec);
      const { jobId } = client;
      const connection: Connection<MainToClient, ClientToMain> = new Connection(await openStream({ url, token, role: "client", timeoutMs: 5000 }), {
        incoming: mainToClient, software: "test",
        onMessage: (message, body) => {
          if (message.type === "results" || message.type === "credit" || message.type === "logs" || message.type === "finished") client.message(message, body);
          if (message.type === "refused") throw new Error(message.message);
        },
        onClose: () => undefined,
      });
      const feed = new StreamFeed(connection, jobId);
      Object.assign(client, { feed, cancel: () => Promise.resolve(connection.send({ type: "cancel", jobId, reason: "the test says so" })) });
      connection.send({ type: "submit", jobId, spec, codeBytes: CODE.byteLength }, CODE);
      ends.push(() => connection.close());
      return client;
    },
    node: async (name, { jobId }) => {
      const node = new NodeSide(name);
      let nodeSeq = 0;
      const join = async (holding: { jobId: typeof jobId; grantId: number }[]) => {
        const connection: Connection<MainToNode, NodeToMain> = new Connection(await openStream({ url, token: nodeToken, role: "node", timeoutMs: 5000 }), {
          incoming: mainToNode, software: "test",
          onMessage: (message, body) => {
            if (message.type === "grant") node.grant(message, body);
            if (message.type === "stop") node.isStopped = true;
          },
          onClose: () => undefined,
        });
        connection.send({ type: "nodeHello", nodeId: name as NodeId, ...SIZE, pid: process.pid, jobs: holding.length > 0 ? [jobId] : [], holding });
        connection.send({ type: "nodeState", state: "READY", reason: "", workers: [], preparing: [] });
        ends.push(() => connection.close());
        return connection;
      };
      const first = await join([]);
      let connection = () => Promise.resolve(first);
      const send = (message: object, body: Uint8Array) => void connection().then((joined) => joined.send({ ...message, nodeSeq: ++nodeSeq } as NodeToMain, body));
      const work = new StreamWork({ sendDurably: send, sendLines: (id, droppedLines, body) => send({ type: "nodeLogs", jobId: id, droppedLines }, body) }, jobId);
      const renewal = setInterval(() => first.send({ type: "renew", jobs: [jobId] }), 2000);
      ends.push(() => clearInterval(renewal));
      const vanish = () => {
        clearInterval(renewal);
        first.close();
        // It believes that it holds what it held, when it is back: too late, for it is back only when another has answered.
        const holding = node.grants.map(({ grantId }) => ({ jobId, grantId }));
        let again: ReturnType<typeof join> | undefined;
        connection = () => (again ??= join(holding));
      };
      Object.assign(node, { work, vanish });
      return node;
    },
    close: async () => {
      for (const end of ends) end();
      await main.stop();
    },
  };
}

jobQueueContract(open);
