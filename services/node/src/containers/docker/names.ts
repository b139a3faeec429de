/** How containers of one node service are told from those of others, and of the user, on the same engine. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { WorkerId } from "@burla/protocol";

const SPACE_CHARACTERS = 12;

/** Labels of every container. */
export const LABELS = { space: "burla.space", node: "burla.node", worker: "burla.worker", purpose: "burla.purpose" } as const;

/** The name space of a node service: its folder is its own on this machine, and stays the same when it starts again. */
export function spaceOf(directory: string): string {
  return createHash("sha256").update(resolve(directory)).digest("hex").slice(0, SPACE_CHARACTERS);
}

/** Says whose it is to people who list containers; programs go by the labels. */
export function containerName(space: string, workerId: WorkerId): string {
  return `burla-${space}-${workerId}`;
}
