/** Where main is and with which token, found out anew for each attempt to reach it. */
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { connectionFileSchema, enrolledSchema, requestMain, ROUTES } from "@burla/protocol";
import type { NodeConfig } from "./config.ts";
import { vmMetadata } from "./vm-metadata.ts";

const TIMEOUT_MS = 5_000;

export interface MainAddress {
  readonly url: string;
  readonly token: string;
  /** PEM; null where main is on this machine. */
  readonly certificate: string | null;
  /** Main's socket; null where main is on another machine. */
  readonly socket: string | null;
}

/** From the file that main writes, since main may move; on a VM from main itself, which knows the VM by Google's word. */
export function mainAddress({ vm, connectionFile }: Pick<NodeConfig, "vm" | "connectionFile">): () => Promise<MainAddress> {
  return vm === null ? () => readAddress(connectionFile) : () => enrol(vm);
}

async function readAddress(path: string): Promise<MainAddress> {
  const { url, socket, nodeToken, certificate, pid } = v.parse(connectionFileSchema, JSON.parse(await readFile(path, "utf8")));
  // Whoever listens at the URL by now must not get the token.
  if (socket === null && !isAlive(pid)) throw new Error(`the main of ${path} has ended`);
  return { url, socket, token: nodeToken, certificate };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function enrol({ url, certificate, audience }: NonNullable<NodeConfig["vm"]>): Promise<MainAddress> {
  const identity = await vmMetadata(`service-accounts/default/identity?audience=${encodeURIComponent(audience)}&format=full`, AbortSignal.timeout(TIMEOUT_MS));
  const response = await requestMain({ url, path: ROUTES.enrol, method: "POST", token: identity, certificate, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`main does not take this VM: ${response.status}`);
  const { token } = v.parse(enrolledSchema, await response.json());
  return { url, socket: null, token, certificate };
}
