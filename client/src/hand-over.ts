/**
 * Whether a local cluster that runs is the one that this package would start. One of another build is asked to make way:
 * it does, unless it has work. Then it is used as it is, if it speaks the same protocol.
 */
import { BurlaError, handedOverSchema, PROTOCOL_VERSION, requestMain, ROUTES, type ConnectionFile } from "@burla/protocol";
import * as v from "valibot";
import { isAlive, untilGone } from "./process-life.ts";
import { BUILD, VERSION } from "./version.ts";

const ASK_TIMEOUT_MS = 5_000;
/** Main gives its nodes three seconds, then kills them. */
const END_TIMEOUT_MS = 8_000;

/**
 * @returns whether the cluster is to be used; else it has ended, or nobody answers there.
 * @throws BurlaError BURLA_VERSION when it has work and speaks another protocol.
 */
export async function mayBeUsed(file: ConnectionFile): Promise<boolean> {
  if (!isAlive(file.pid)) return false;
  if (file.build === BUILD && file.protocolVersion === PROTOCOL_VERSION) return true;
  const answer = await askToEnd(file);
  if (answer === "nobody") return false;
  if (answer === "ends") return !(await hasEnded(file));
  if (file.protocolVersion !== PROTOCOL_VERSION) {
    throw new BurlaError("BURLA_VERSION", `the local cluster has version ${file.version}, with another protocol than this client, and is at work`);
  }
  sayOnce(`the local cluster runs another build of burla (${file.version}; this is ${VERSION}) and is at work, so this job runs there too; when it has nothing to do, the next job starts this build.`);
  return true;
}

/** Asks a cluster to end, which it does unless it has work. @returns whether nothing is there any more. */
export async function makesWay(file: ConnectionFile): Promise<boolean> {
  if (!isAlive(file.pid)) return true;
  const answer = await askToEnd(file);
  return answer === "nobody" || (answer === "ends" && (await hasEnded(file)));
}

async function hasEnded({ pid }: ConnectionFile): Promise<boolean> {
  return (await untilGone([pid], END_TIMEOUT_MS)).length === 0;
}

async function askToEnd({ url, socket, token, certificate }: ConnectionFile): Promise<"ends" | "stays" | "nobody"> {
  const response = await requestMain({ url, socket, token, certificate, path: ROUTES.handOver, method: "POST", signal: AbortSignal.timeout(ASK_TIMEOUT_MS) }).catch(() => null);
  if (response === null) return "nobody";
  const answer = v.safeParse(handedOverSchema, await response.json().catch(() => null));
  return answer.success && answer.output.ended ? "ends" : "stays";
}

const said = new Set<string>();

function sayOnce(text: string): void {
  if (said.has(text)) return;
  said.add(text);
  process.emitWarning(text, { code: "BURLA_OTHER_BUILD" });
}
