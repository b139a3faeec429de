/** Can this machine play a cluster? */
import { existsSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { availableParallelism, totalmem } from "node:os";
import { messageOf } from "@burla/protocol";
import { localSpec } from "../../local-cluster.ts";
import { bytesText, countText } from "../texts.ts";
import { fail, ok, warn, type Check } from "./check.ts";

const BYTES_PER_MIB = 1024 * 1024;
const MIN_MEMORY_BYTES = 1024 * BYTES_PER_MIB;

export const machineChecks: readonly Check[] = [
  { name: "processors", run: checkProcessors },
  { name: "memory", run: checkMemory },
  { name: "loopback", run: checkLoopback },
  { name: "/proc", run: checkProc },
];

function checkProcessors() {
  const nodes = localSpec().groups.reduce((sum, { count }) => sum + count, 0);
  const cores = availableParallelism();
  const text = `${countText(cores, "processor")}: the local cluster has ${countText(nodes, "node")}`;
  return cores > 1 ? ok(text) : warn(text, "With one processor calls share it with this program: nothing becomes faster than a loop.");
}

/** A container may have less than its machine. */
function checkMemory() {
  const limit = process.constrainedMemory() || totalmem();
  const bytes = Math.min(limit, totalmem());
  const text = bytes < totalmem() ? `${bytesText(bytes)} of the machine's ${bytesText(totalmem())}` : bytesText(bytes);
  if (bytes < totalmem()) return warn(text, "The cluster plans with the machine's memory: give the option `ram` to calls that need much.");
  return bytes >= MIN_MEMORY_BYTES ? ok(text) : warn(text, "A worker takes about 60 MiB before it does anything: use few workers, or a larger machine.");
}

async function checkLoopback() {
  try {
    const port = await talkToSelf();
    return ok(`127.0.0.1 answers (tried port ${port})`);
  } catch (error) {
    return fail(messageOf(error), "Programs must be able to listen on 127.0.0.1 and to connect there: look at firewall and sandbox rules.");
  }
}

function talkToSelf(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      const socket = connect(port, "127.0.0.1");
      socket.once("error", reject);
      socket.resume().once("close", () => server.close(() => resolve(port)));
    });
  });
}

function checkProc() {
  if (existsSync(`/proc/${process.pid}/environ`)) return ok("processes can be seen");
  return warn("there is none", "Memory limits of calls and the clearing away of lost processes need /proc: expect neither here.");
}
