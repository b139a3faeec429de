/** The node service: one per VM (or several on a machine that plays a cluster). Configured by JSON in BURLA_NODE. */
import { mkdirSync } from "node:fs";
import pino from "pino";
import * as v from "valibot";
import { makeSocketsFolder, removeSocketsFolder } from "@burla/protocol";
import { foldersOf, nodeConfigSchema, withFullPaths } from "./config.ts";
import { openRuntime } from "./containers/open.ts";
import { Node } from "./node.ts";
import { watchPreemption } from "./preemption.ts";

/** Docker kills the container 22 seconds after its signal (`boot.sh`). */
const LEAVE_MS = 20_000;

const config = withFullPaths(v.parse(nodeConfigSchema, JSON.parse(process.env["BURLA_NODE"] ?? "null")));
mkdirSync(config.directory, { recursive: true, mode: 0o700 });
makeSocketsFolder(config.directory);
const log = pino({ base: { node: config.nodeId } }, pino.destination({ fd: 2, sync: true }).on("error", () => undefined));
const folders = foldersOf(config);
const runtime = await openRuntime(config, folders, () => node.troubleChanged());
const node: Node = new Node({ config, folders, runtime, log, exit });
// The system of a VM that is taken back sends this to its containers, half a minute before the VM is off.
process.on("SIGTERM", () => void (config.vm === null ? node.shutdown("SIGTERM") : node.leaveAndEnd("its machine shuts down", LEAVE_MS)));
if (config.vm !== null) watchPreemption(() => node.leave("Google takes its machine back"));
process.on("SIGINT", () => undefined);
await node.start();

function exit(): never {
  removeSocketsFolder(config.directory);
  process.exit(0);
}
