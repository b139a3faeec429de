/**
 * The main service: stands for one cluster. Configured by JSON in BURLA_MAIN; says "ready" on descriptor 3, or "failed"
 * and why.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import pino from "pino";
import * as v from "valibot";
import { childEnvironment, connectionFileSchema, DamageError, jobSummarySchema, messageOf, namedKinds, newToken, PROTOCOL_VERSION, type ConnectionFile, type JobId } from "@burla/protocol";
import { largeValuesOf } from "@burla/queue";
import { identify, type Identity } from "./auth.ts";
import { ClientLink } from "./client-link.ts";
import { Cluster } from "./cluster.ts";
import { mainConfigSchema } from "./config.ts";
import { ElsewhereJobs } from "./elsewhere-jobs.ts";
import { Guests } from "./guests.ts";
import { IdleWatch } from "./idle.ts";
import { acquireLock, releaseLock } from "./lock.ts";
import { NodeLink } from "./node-link.ts";
import { People } from "./people.ts";
import { LocalProvider } from "./providers/local.ts";
import type { MachineProvider } from "./providers/provider.ts";
import { queueFor, queuePlaceOf } from "./queue-place.ts";
import { JobRegistry } from "./registry.ts";
import { createRoutes } from "./routes.ts";
import { serve, serveTls, type Arrival, type ServerOptions } from "./server.ts";
import { OwnDoor } from "./own-door.ts";
import { DiskStateStore } from "./state/disk-state-store.ts";
import { FirestoreStateStore } from "./state/firestore-state-store.ts";
import { StateMirror } from "./state/state-mirror.ts";
import { BlobStore } from "./store/blobs.ts";
import { Bundles } from "./store/bundles.ts";
import { OpenFiles } from "./store/open-files.ts";
import { readSealed } from "./store/sealed-file.ts";
import { OwnValues } from "./store/own-values.ts";
import type { MainSummary } from "./summaries.ts";
import { Board } from "./watch/board.ts";
import { publishCertificate, openVm } from "./vm.ts";
import { Changes } from "./watch/changes.ts";

/** Old jobs and bundles are looked for at the start, and this often. */
const PRUNE_MS = 60 * 60_000;
/** A shutdown waits no longer for a state that cannot be written. */
const STATE_PATIENCE_MS = 2_000;
const EXIT_SIGTERM = 143;
/** Another main holds the state folder. */
const EXIT_LOCKED = 3;
const startedAt = Date.now();
/** Whoever starts main may be unable to read why it did not: its log may be on a full disk. */
process.on("uncaughtExceptionMonitor", (error) => tellStarter(`failed ${messageOf(error)}`));
const config = v.parse(mainConfigSchema, JSON.parse(process.env["BURLA_MAIN"] ?? "null"));
mkdirSync(config.directory, { recursive: true, mode: 0o700 });
if (!acquireLock(config.directory)) process.exit(EXIT_LOCKED);

const log = pino({ base: { cluster: config.spec.name } }, pino.destination({ fd: 2, sync: true }).on("error", () => undefined));
const files = new OpenFiles();
const connectionFile = join(config.directory, "cluster.json");
const previous = readPrevious();
const tokens = { owner: previous?.token ?? newToken(), node: previous?.nodeToken ?? newToken() };

const vm = config.vm === null ? null : await openVm(config, config.vm, {
  demands: () => cluster.nodeDemands,
  busy: () => cluster.busyNodes,
  onGone: (nodeId) => {
    vm?.enrolment.revoke(nodeId);
    guests.end({ role: "node", nodeId });
    cluster.nodeGone(nodeId);
  },
  onChange: () => cluster.machinesChanged(),
  log,
});
const provider: MachineProvider = vm?.provider ?? new LocalProvider({
  ...config,
  directory: join(config.directory, "nodes"),
  connectionFile,
  environment: childEnvironment(),
  onGone: (nodeId) => cluster.nodeGone(nodeId),
  onChange: () => cluster.machinesChanged(),
  log,
});
const people = new People({
  path: join(config.directory, "people.json"),
  files,
  ownerHash: config.vm?.ownerHash ?? null,
  onTokenEnded: ({ id, name, role }) => {
    if (role !== "user") cluster.cancelJobsOf(id, `${name} may not run jobs on this cluster any more`);
    guests.end({ role: "user", person: id });
  },
});
if (vm === null) provider.start();

const blobs = new BlobStore(join(config.directory, "blobs"));
const bundles = new Bundles(blobs);
const queue = queuePlaceOf(config.spec, process.env, vm?.facts.project ?? null);
const state = queue === null ? new DiskStateStore(join(config.directory, "state")) : new FirestoreStateStore(queue);
const mirror = new StateMirror({ store: state, node: (nodeId) => cluster.summaries.node(nodeId), job: (jobId) => cluster.summaries.job(jobId), log });
const changes = new Changes(mirror);
const registry = new JobRegistry(join(config.directory, "jobs"), files, (jobId) => {
  changes.job(jobId);
  elsewhere?.remove(jobId);
});
const clients = new Set<ClientLink>();
const guests = new Guests({ personOf: (jobId) => cluster.ownership(jobId)?.person ?? null, over: (jobId) => registry.get(jobId)?.over });
let isEnding = false;
const endsAt = config.spec.endsAt === null ? null : Date.parse(config.spec.endsAt);
const idle = new IdleWatch(config.spec.idleMinutes * 60_000, () => void shutdown("idle"), () => changes.cluster());
const images = namedKinds(config.spec.containers, config.version).flatMap(({ image }) => image ?? []);
const elsewhere =
  queue === null
    ? null
    : new ElsewhereJobs({
        place: queue,
        large: largeValuesOf(queue, new OwnValues(blobs)),
        uncounted: () => cluster.uncounted,
        counted: (jobId, progress) => cluster.counted(jobId, progress),
        failures: (jobId, failures) => cluster.failuresFound(jobId, failures),
        log,
      });
const cluster: Cluster = new Cluster({ registry, blobs, provider, changes, images, elsewhere, log, onActivity: updateIdle });
const board = new Board(
  {
    status: () => cluster.summaries.status(describe()),
    cluster: () => cluster.summaries.cluster(describe()),
    node: (nodeId) => cluster.summaries.node(nodeId),
    job: (jobId) => cluster.summaries.job(jobId),
    waiting: () => cluster.summaries.waiting(),
  },
  changes,
);
const whoAsks = (authorization: string | undefined) =>
  identify(authorization, {
    ...(vm === null ? tokens : { owner: null, node: null }),
    jobs: () => registry.unfinished(),
    people: () => people.hashes(),
    nodes: () => vm?.enrolment.valid() ?? [],
  });
const app = createRoutes({
  cluster,
  blobs,
  board,
  keepsLargeValues: queue?.bucket === null,
  identify: whoAsks,
  describe,
  people,
  ...(vm !== null && config.vm !== null && { vms: { enrolment: vm.enrolment, programs: config.vm.programs } }),
  shutdown: (reason) => setImmediate(() => void shutdown(reason)),
  handOver: () => {
    if (cluster.isInUse) return false;
    setImmediate(() => void shutdown("another build of Burla takes over"));
    return true;
  },
});
cluster.restore();
mirror.spec(config.spec);
void takeUpJobs();
cluster.prune();
setInterval(() => cluster.prune(), PRUNE_MS).unref();

const doors: ServerOptions = {
  app,
  log,
  identify: whoAsks,
  guests,
  onStream: (stream, identity, role, arrival) => {
    if (role === "node") {
      const allowed = identity.role === "node" ? (identity.nodeId ?? null) : null;
      const onClosed = (link: NodeLink) => {
        if (link.isKnown) provider.check(link.nodeId);
      };
      new NodeLink(stream, { cluster, allowed, log, onClosed });
      return;
    }
    serveClient(stream, identity, null, arrival);
  },
  onChannel: serveClient,
};
const { server, url } =
  vm === null || config.vm === null
    ? await serve(doors, previous === null ? 0 : Number(new URL(previous.url).port))
    : await serveTls(doors, { address: vm.facts.internalAddress, port: config.vm.port, ...vm.certificate });
const ownDoor = vm === null && OwnDoor.isPossible ? await OwnDoor.open(doors, config.directory) : null;
if (vm !== null) {
  await publishCertificate(vm);
  provider.start();
}
announce();
if (endsAt !== null) endAt(endsAt);
updateIdle();
// A VM that is shut down, for maintenance perhaps, comes back; its nodes wait for it.
process.on("SIGTERM", () => (vm === null ? void shutdown("SIGTERM") : process.exit(EXIT_SIGTERM)));
process.on("SIGINT", () => undefined);

function serveClient(stream: Duplex, identity: Identity, onlyJob: JobId | null, { isLocal, visit }: Arrival): void {
  const client = new ClientLink(stream, {
    cluster, bundles, identity, onlyJob, isLocal, log,
    queueFor: (submitter) => queueFor(submitter, queue, config.spec.containers),
    mayHold: (bytes) => visit?.holds(bytes) ?? true,
    onClosed: () => {
      clients.delete(client);
      updateIdle();
    },
  });
  clients.add(client);
  updateIdle();
}

function describe(): MainSummary {
  const { wanted, costPerHour, troubles } = provider.machines;
  return {
    cluster: config.spec.name, version: config.version, pid: process.pid, startedAt, idleDeadline: idle.deadline,
    wantedNodes: wanted, costPerHour, troubles: [...troubles], endsAt,
  };
}

/** Jobs that ended under a main whose disk is gone. */
async function takeUpJobs(): Promise<void> {
  try {
    for (const { value } of await state.list("jobs")) {
      const summary = v.safeParse(jobSummarySchema, value);
      if (summary.success) registry.remember(summary.output);
    }
  } catch (error) {
    log.error({ error: messageOf(error) }, "the state of earlier mains cannot be read");
  }
}

/** Without it the cluster has another address and other tokens: a damaged one is kept for who wants to look. */
function readPrevious(): ConnectionFile | null {
  try {
    return readSealed(connectionFile, connectionFileSchema, files);
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const aside = `${connectionFile}.damaged`;
    rmSync(aside, { recursive: true, force: true });
    renameSync(connectionFile, aside);
    log.error({ error: messageOf(error), aside }, "the connection file was put aside; the cluster gets a new address and new tokens");
    return null;
  }
}

function announce(): void {
  const content: ConnectionFile = {
    url, socket: ownDoor?.path ?? null, token: tokens.owner, nodeToken: tokens.node, certificate: null, provider: config.spec.provider, pid: process.pid,
    version: config.version, build: config.build, protocolVersion: PROTOCOL_VERSION, startedAt,
  };
  writeFileSync(`${connectionFile}.part`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${connectionFile}.part`, connectionFile);
  log.info({ url, pid: process.pid }, "ready");
  tellStarter("ready");
}

function tellStarter(line: string): void {
  try {
    writeSync(3, `${line}\n`);
  } catch {
    // Nobody waits on descriptor 3: started by hand.
  }
}

function updateIdle(): void {
  idle.busy(clients.size > 0 || cluster.hasWork);
}

/** A time that is further off than timers reach is looked at again. */
function endAt(atMs: number): void {
  const leftMs = atMs - Date.now();
  if (leftMs <= 0) return void shutdown("its time is over");
  setTimeout(() => endAt(atMs), Math.min(leftMs, 2 ** 31 - 1)).unref();
}

/** Ends clients, nodes, then itself; the connection file goes first, so that nobody dials a dying cluster. */
async function shutdown(reason: string): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  log.info({ reason }, "shutting down");
  rmSync(connectionFile, { force: true });
  cluster.shutdown(reason);
  board.close(reason);
  for (const client of clients) client.close();
  server.close();
  ownDoor?.close();
  await provider.stop();
  await elsewhere?.close();
  await Promise.race([mirror.close(), new Promise((resolve) => setTimeout(resolve, STATE_PATIENCE_MS))]);
  registry.close();
  releaseLock(config.directory);
  process.exit(0);
}
