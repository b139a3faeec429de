/**
 * Starts a cluster on Compute Engine: firewall rules, main's VM, its programs; main makes the rest. May be interrupted at
 * any moment and simply called again: what is there is used.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BurlaError, CERTIFICATE_ATTRIBUTE, isGceFailure, mainVmName, newToken, PROTOCOL_VERSION, type ClusterSpec, type ConnectionFile,
} from "@burla/protocol";
import { Control } from "../control/requests.ts";
import { clusterDirectory, connectionFilePath, readConnectionFile } from "../local-cluster.ts";
import { storeSpec } from "../spec-file.ts";
import { BUILD, VERSION } from "../version.ts";
import { packPrograms, type ProgramArchive } from "./archive.ts";
import { cloudError, gceEndpoint, type GoogleProject } from "./library.ts";
import { mainZones } from "./plan.ts";
import { firewallRules, mainVm } from "./resources.ts";
import { nextStep } from "./retries.ts";
import { endOfSerial } from "./serial.ts";

export type GcePhase = "network" | "machine" | "programs" | "main";

export interface GceStart {
  readonly signal: AbortSignal;
  readonly onPhase: (phase: GcePhase) => void;
}

type MainMachine = Awaited<ReturnType<GoogleProject["compute"]["listVms"]>>[number];

/** Boot, image of the container and the way of the programs, on a slow day. */
const MAIN_TIMEOUT_MS = 10 * 60_000;
const LOOK_MS = 1_000;
const SEND_TIMEOUT_MS = 5 * 60_000;
const ON_ITS_WAY_OFF = ["STOPPING", "PENDING_STOP", "SUSPENDING"];
const OFF = ["TERMINATED", "STOPPED"];

/** Resolves when main answers; its nodes are then on their way. @throws BurlaError BURLA_CLOUD; the signal's reason. */
export async function startGceCluster(project: GoogleProject, given: ClusterSpec, { signal, onPhase }: GceStart): Promise<ConnectionFile> {
  const spec: ClusterSpec = { ...given, gce: { ...given.gce, project: project.id } };
  const archive = await packPrograms();
  // Before anything is made: whoever ends a cluster that was interrupted here must know where it is.
  storeSpec(clusterDirectory(spec.name), spec);
  const token = keptToken(spec.name);
  try {
    onPhase("network");
    for (const rule of firewallRules(spec)) await ensure((requestId) => project.compute.insertFirewall(rule, requestId), { hasOthers: false, signal });
    onPhase("machine");
    const machine = await ensureMainVm(project, spec, { token, archive, signal });
    const address = machine.externalAddress || machine.internalAddress;
    onPhase("programs");
    await sendPrograms(project, machine, `http://${address}:${spec.gce.port}`, archive, signal);
    onPhase("main");
    return await connect(project, machine, { url: `https://${address}:${spec.gce.port}`, token, name: spec.name, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw cloudError(`the cluster ${spec.name} could not be started`, error);
  }
}

/** The owner's token is kept until the cluster has one that answers to it, so that a second attempt has the same. */
function keptToken(name: string): string {
  const known = readConnectionFile(name)?.token;
  if (known !== undefined) return known;
  const path = tokenPath(name);
  try {
    return readFileSync(path, "utf8");
  } catch {
    const token = newToken();
    mkdirSync(clusterDirectory(name), { recursive: true, mode: 0o700 });
    writeFileSync(path, token, { mode: 0o600 });
    return token;
  }
}

function tokenPath(name: string): string {
  return join(clusterDirectory(name), "starting.token");
}

/** In the first zone that has room. One that is there is used, and started when it is off. */
async function ensureMainVm(project: GoogleProject, spec: ClusterSpec, { token, archive, signal }: { token: string; archive: ProgramArchive; signal: AbortSignal }): Promise<MainMachine> {
  const there = (await project.compute.listVms(spec.name)).find(({ role }) => role === "main");
  const awake = there === undefined ? null : await awaken(project, there, signal);
  if (awake !== null) return awake;
  const name = mainVmName(spec.name);
  const ownerHash = createHash("sha256").update(token).digest("hex");
  const zones = mainZones(spec);
  for (const [at, zone] of zones.entries()) {
    const resource = mainVm({ spec, project: project.id, zone, ownerHash, programsHash: archive.hash, endpoint: gceEndpoint() });
    const isThere = await ensure((requestId) => project.compute.insertVm(zone, resource, requestId), { hasOthers: at < zones.length - 1, signal });
    if (isThere) return project.compute.getVm(zone, name);
  }
  throw new BurlaError("BURLA_SPEC", `the cluster ${spec.name} names no zone`);
}

/** Its jobs are on its disk; the address from outside is another one each time. @returns null when it has gone meanwhile. */
async function awaken({ compute }: GoogleProject, { zone, name, status: found }: MainMachine, signal: AbortSignal): Promise<MainMachine | null> {
  let status = found;
  try {
    while (ON_ITS_WAY_OFF.includes(status)) {
      await pause(LOOK_MS, signal);
      ({ status } = await compute.getVm(zone, name));
    }
    if (OFF.includes(status)) await ensure((requestId) => compute.startVm(zone, name, requestId), { hasOthers: false, signal });
    return await compute.getVm(zone, name);
  } catch (error) {
    if (isGceFailure(error) && error.kind === "not-found") return null;
    throw error;
  }
}

/** @returns false where another zone is to be asked. `act` gets the request's id. */
async function ensure(act: (requestId: string) => Promise<void>, { hasOthers, signal }: { hasOthers: boolean; signal: AbortSignal }): Promise<boolean> {
  let requestId: string = randomUUID();
  let faults = 0;
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    try {
      await act(requestId);
      return true;
    } catch (error) {
      if (!isGceFailure(error)) throw error;
      if (error.isOfOperation) faults++;
      const step = nextStep(error, { tries, faults, hasOthers });
      if (step === "done" || step === "elsewhere") return step === "done";
      if (step === "fail") throw error;
      if (step === "new") requestId = randomUUID();
      await pause(LOOK_MS * 2 ** (tries - 1), signal);
    }
  }
}

/** The VM takes them as soon as it has booted; from then on it says its certificate. */
async function sendPrograms(project: GoogleProject, machine: MainMachine, url: string, { bytes }: ProgramArchive, signal: AbortSignal): Promise<void> {
  const { zone, name } = machine;
  const deadlineMs = performance.now() + MAIN_TIMEOUT_MS;
  for (;;) {
    const response = await fetch(`${url}/v1/programs`, { method: "PUT", body: new Blob([bytes as Uint8Array<ArrayBuffer>]), signal: AbortSignal.any([signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]) }).catch(() => null);
    await response?.body?.cancel();
    signal.throwIfAborted();
    if (response?.ok === true) return;
    if (response?.status === 400 || (await project.compute.guestAttribute(zone, name, CERTIFICATE_ATTRIBUTE)) !== null) return;
    if (await isOff(project, machine)) throw await inVain(project, machine, `its VM ${name} is off`);
    if (performance.now() > deadlineMs) throw await inVain(project, machine, `its VM ${name} did not take the programs`);
    await pause(LOOK_MS, signal);
  }
}

async function connect(project: GoogleProject, machine: MainMachine, { url, token, name, signal }: { url: string; token: string; name: string; signal: AbortSignal }): Promise<ConnectionFile> {
  const deadlineMs = performance.now() + MAIN_TIMEOUT_MS;
  for (;;) {
    const certificate = await project.compute.guestAttribute(machine.zone, machine.name, CERTIFICATE_ATTRIBUTE);
    const status = certificate === null ? null : await new Control({ url, token, certificate }).status().catch(refusedOnly);
    if (status !== null) return writeConnection(name, { url, token, certificate, startedAt: status.startedAt });
    if (await isOff(project, machine)) throw await inVain(project, machine, `its VM ${machine.name} is off`);
    if (performance.now() > deadlineMs) throw await inVain(project, machine, "its main service did not answer");
    await pause(LOOK_MS, signal);
  }
}

/** A VM of that name that was started with another token is somebody else's. */
function refusedOnly(error: unknown): null {
  if (error instanceof BurlaError && error.code === "BURLA_UNAUTHORIZED") {
    throw new BurlaError("BURLA_UNAUTHORIZED", "a cluster of this name runs in the project, and was started from another computer", { cure: "Give this one another name, or copy its connection from there." });
  }
  return null;
}

function writeConnection(name: string, { url, token, certificate, startedAt }: Pick<ConnectionFile, "url" | "token" | "certificate" | "startedAt">): ConnectionFile {
  const file: ConnectionFile = { url, socket: null, token, nodeToken: "", certificate, provider: "gce", pid: 0, version: VERSION, build: BUILD, protocolVersion: PROTOCOL_VERSION, startedAt };
  const path = connectionFilePath(name);
  writeFileSync(`${path}.part`, JSON.stringify(file), { mode: 0o600 });
  renameSync(`${path}.part`, path);
  rmSync(tokenPath(name), { force: true });
  return file;
}

/** Removed, or switched off by itself or by somebody: nothing will come of waiting. */
async function isOff({ compute }: GoogleProject, { zone, name }: MainMachine): Promise<boolean> {
  try {
    return [...OFF, ...ON_ITS_WAY_OFF].includes((await compute.getVm(zone, name)).status);
  } catch (error) {
    if (isGceFailure(error) && error.kind === "not-found") return true;
    throw error;
  }
}

async function inVain(project: GoogleProject, machine: MainMachine, what: string): Promise<BurlaError> {
  const said = await endOfSerial(project, machine);
  const cure = "Call `burla up` again; `burla down` removes what was made.";
  return new BurlaError("BURLA_CLOUD", said === "" ? what : `${what}. It said last:\n${said}`, { cure });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
