/** Which cluster a call is for, and how to reach it. */
import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { BurlaError, messageOf, openStream, placeOf, PROTOCOL_VERSION, socketOfUrl, type ConnectionFile } from "@burla/protocol";
import { CLUSTER_TEXT, isClusterName, isClusterUrl } from "./cluster-name.ts";
import { mayBeUsed } from "./hand-over.ts";
import { connectionFilePath, readConnectionFile, readConnectionFileAt, startLocalCluster } from "./local-cluster.ts";
import { isAlive } from "./process-life.ts";
import type { ClusterAddress } from "./types.ts";

const DIAL_TIMEOUT_MS = 10_000;
const MAX_FRESH_DIALS = 4;
export const LOCAL = "local";

/** How a cluster is reached. */
export interface ClusterDoor extends ClusterAddress {
  /** Main's socket on this machine, dialled in place of the URL. */
  readonly socket?: string;
}

/** A cluster by a name that stays the same when its address changes. */
export interface ClusterTarget {
  /** Same key, same cluster. Not for people: it holds the token. */
  readonly key: string;
  /** Where its workers are: on the machine that calls, in containers of the image that calls, or elsewhere. */
  readonly place: "this-machine" | "same-image" | "elsewhere";
  /** It is there for sure, and comes back if it does not answer: it runs the function that calls. */
  readonly isWaitedFor: boolean;
  /** What people call it: its name, or where it is. */
  readonly label: string;
  /** The local cluster is started when it is not there. */
  open(): Promise<Duplex>;
  /** Where control requests go. Starts nothing. @throws BurlaError BURLA_UNREACHABLE */
  address(): ClusterDoor;
  /** The file that says where the cluster is; null for a fixed address. */
  readonly file: AddressFile | null;
}

export interface AddressFile {
  readonly path: string;
  read(): ConnectionFile | null;
  /** Its local main is dead. */
  isLeft(file: ConnectionFile): boolean;
}

/**
 * From the option, else from the environment of a worker (functions that start jobs of their own), else BURLA_CLUSTER,
 * else the local cluster. A cluster that is named by its URL has its token in BURLA_TOKEN.
 * @throws TypeError when BURLA_CLUSTER is neither a name nor a URL; BurlaError BURLA_UNAUTHORIZED without a token.
 */
export function resolveCluster(option: string | ClusterAddress | undefined): ClusterTarget {
  const { BURLA_URL: url, BURLA_JOB_TOKEN: token, BURLA_CERTIFICATE: certificate, BURLA_CLUSTER: usual } = process.env;
  if (typeof option === "object") return fixedTarget(option);
  if (option === undefined && url && token) return wherever({ ...fixedTarget({ url, token, ...(certificate && { certificate }) }), place: placeOfWorker(url), isWaitedFor: true });
  const name = option ?? (usual || LOCAL);
  if (isClusterUrl(name)) return fixedTarget({ url: name, token: tokenOf(name), ...(certificate && { certificate: certificateFrom(certificate) }) });
  if (!isClusterName(name)) throw new TypeError(`remoteParallelMap: the variable BURLA_CLUSTER must be ${CLUSTER_TEXT}, not ${JSON.stringify(name)}`);
  return namedTarget(name);
}

/** Of functions on workers: those in containers reach their cluster over a socket of their node. */
function placeOfWorker(url: string): ClusterTarget["place"] {
  return socketOfUrl(url) === null ? "this-machine" : "same-image";
}

function tokenOf(url: string): string {
  const { BURLA_TOKEN: token } = process.env;
  if (token) return token;
  const cure = "Put its token into the variable BURLA_TOKEN, or pass { url, token } as the option `cluster`.";
  throw new BurlaError("BURLA_UNAUTHORIZED", `there is no token for the cluster at ${new URL(url).origin}`, { cure });
}

/** The variable holds the certificate itself, or the name of a file with it. */
function certificateFrom(text: string): string {
  if (text.includes("-----BEGIN")) return text;
  try {
    return readFileSync(text, "utf8");
  } catch (cause) {
    throw new BurlaError("BURLA_UNAUTHORIZED", `the certificate cannot be read: ${messageOf(cause)}`, { cause, cure: "BURLA_CERTIFICATE is the name of a PEM file, or its content." });
  }
}

function fixedTarget(address: ClusterAddress): ClusterTarget {
  return {
    key: `${address.url} ${address.token}`,
    place: "elsewhere",
    isWaitedFor: false,
    label: `at ${placeOf(address.url)}`,
    open: () => openStream({ ...address, role: "client", timeoutMs: DIAL_TIMEOUT_MS }),
    address: () => address,
    file: null,
  };
}

/** On main's machine: it may come back at another address, which it writes down; the token of a job stays the same. */
function wherever(target: ClusterTarget): ClusterTarget {
  const { BURLA_MAIN_FILE: mainFile, BURLA_MAIN_SOCKET: bornSocket } = process.env;
  if (!mainFile) return target;
  const address = (): ClusterDoor => {
    const born = target.address();
    const file = readConnectionFileAt(mainFile);
    const socket = file === null ? bornSocket : file.socket;
    if (socket) return { ...born, socket };
    // Whoever listens at a URL by now must not get the token.
    if (file === null || !isAlive(file.pid)) throw new BurlaError("BURLA_UNREACHABLE", "the cluster that runs this function is starting anew");
    return { ...born, url: file.url };
  };
  return { ...target, address, open: async () => openStream({ ...address(), role: "client", timeoutMs: DIAL_TIMEOUT_MS }) };
}

function namedTarget(name: string): ClusterTarget {
  const isLeft = ({ pid }: ConnectionFile) => name === LOCAL && !isAlive(pid);
  return {
    key: name,
    place: name === LOCAL ? "this-machine" : "elsewhere",
    isWaitedFor: false,
    label: name,
    open: () => openNamed(name),
    address: () => {
      const file = readConnectionFile(name);
      if (file === null || isLeft(file)) throw notRunning(name);
      return addressIn(file);
    },
    file: { path: connectionFilePath(name), read: () => readConnectionFile(name), isLeft },
  };
}

function notRunning(name: string): BurlaError {
  const cure = name === LOCAL ? "Start it with `burla up`, or simply call remoteParallelMap." : "Nothing on this machine knows a cluster of that name. Name it by its URL, with its token in the variable BURLA_TOKEN.";
  return new BurlaError("BURLA_UNREACHABLE", `the cluster "${name}" is not running`, { cure });
}

async function openNamed(name: string): Promise<Duplex> {
  const file = readConnectionFile(name);
  if (name === LOCAL) return openLocal(file);
  if (file === null) throw notRunning(name);
  checkVersion(file);
  return dial(file);
}

async function openLocal(file: ConnectionFile | null): Promise<Duplex> {
  if (file !== null && (await mayBeUsed(file))) {
    try {
      return await dial(file);
    } catch (error) {
      if (!(error instanceof BurlaError) || error.code !== "BURLA_UNREACHABLE") throw error;
    }
  }
  return dialFresh();
}

/** One that has just started may be ended at once, as by whoever tidies up processes: by chance once or twice, on purpose always. */
async function dialFresh(attempts = MAX_FRESH_DIALS): Promise<Duplex> {
  const file = await startLocalCluster();
  try {
    return await dial(file);
  } catch (error) {
    if (attempts <= 1 || isAlive(file.pid) || !(error instanceof BurlaError) || error.code !== "BURLA_UNREACHABLE") throw error;
    return dialFresh(attempts - 1);
  }
}

function dial(file: ConnectionFile): Promise<Duplex> {
  return openStream({ ...addressIn(file), role: "client", timeoutMs: DIAL_TIMEOUT_MS });
}

/** How a file's cluster is reached. */
export function addressIn({ url, socket, token, certificate }: ConnectionFile): ClusterDoor {
  return { url, token, ...(certificate !== null && { certificate }), ...(socket !== null && { socket }) };
}

function checkVersion(file: ConnectionFile): void {
  if (file.protocolVersion === PROTOCOL_VERSION) return;
  throw new BurlaError("BURLA_VERSION", `the cluster at ${file.url} has version ${file.version}, with another protocol than this client`);
}

