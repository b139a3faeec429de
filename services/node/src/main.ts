/** The node service: one per VM (or several on a machine that plays a cluster). Configured by JSON in BURLA_NODE. */
import { mkdirSync } from "node:fs";
import pino from "pino";
import * as v from "valibot";
import { foldersOf, nodeConfigSchema } from "./config.ts";
import { openRuntime } from "./containers/open.ts";
import { Node } from "./node.ts";

const config = v.parse(nodeConfigSchema, JSON.parse(process.env["BURLA_NODE"] ?? "null"));
mkdirSync(config.directory, { recursive: true, mode: 0o700 });
const log = pino({ base: { node: config.nodeId } }, pino.destination({ fd: 2, sync: true }).on("error", () => undefined));
const folders = foldersOf(config);
const runtime = await openRuntime(config, folders, () => node.troubleChanged());
const node: Node = new Node({ config, folders, runtime, log, exit: () => process.exit(0) });
process.on("SIGTERM", () => void node.shutdown("SIGTERM"));
process.on("SIGINT", () => undefined);
await node.start();
