/**
 * Every message that crosses a framed connection, in the order in which a job lives.
 *
 * The rule of the conversation: one persistent connection per pair (client-main, node-main, worker-node), many jobs on
 * it. The side that dials says `hello` first. A message for a job or grant that has already ended is expected and
 * ignored. User values lie in the body and are opened only by the client and the worker. Nothing is optional on the
 * wire: what is absent is null on purpose.
 *
 *   client                     main                        node                      worker
 *     | hello ----------------> |  <---------------- hello  |  <--------------- hello  |
 *     | submit, inputs -------> |  assign, grant ---------> |  load, run ------------> |
 *     |                         |  <---------------- renew  |  <------------- started  |
 *     | <------- results, logs  |  <------- results, logs   |  <-------- results, logs |
 *     | ack ------------------> |  stored ----------------> |                          |
 *     | <------------- finished |  stop ------------------> |  (killed)                |
 */
import * as v from "valibot";
import { BurlaError } from "./errors.ts";
import { unpack } from "./frame.ts";
import { MAX_CHUNK_INPUTS, MAX_ENVIRONMENT_CHARACTERS, MAX_VARIABLE_CHARACTERS } from "./limits.ts";
import { queuePlaceSchema } from "./queue-place.ts";
import { imageNameSchema } from "./spec.ts";
import type { BundleId, JobId, NodeId, WorkerId } from "./ids.ts";

/** Raised whenever two builds could not talk; the first thing that either side compares. */
export const PROTOCOL_VERSION = 10;

const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const positive = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER));
const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength));
const id = text(64);
export const jobIdSchema = v.custom<JobId>((value) => typeof value === "string" && /^job-[0-9a-z]{19}$/.test(value));
const jobId = jobIdSchema;
const nodeId = v.custom<NodeId>((value) => typeof value === "string" && /^[\w.-]{1,64}$/.test(value));
const workerId = v.custom<WorkerId>((value) => typeof value === "string" && /^[\w.-]{1,64}$/.test(value));
const bundleId = v.custom<BundleId>((value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value));
const positions = v.pipe(v.array(count), v.maxLength(MAX_CHUNK_INPUTS));

/**
 * Variables of an environment by their names; null takes one away. Pairs, since some names, such as `constructor`, are
 * not safe as keys of an object.
 */
const variables = v.array(v.tuple([v.pipe(text(MAX_VARIABLE_CHARACTERS), v.regex(/^[^=\0]+$/)), v.nullable(text(MAX_VARIABLE_CHARACTERS))]));
export const variablesSchema = v.pipe(
  variables,
  v.check((all) => charactersOf(all) <= MAX_ENVIRONMENT_CHARACTERS, "an environment is over its limit"),
);
export type Variables = v.InferOutput<typeof variables>;

/** What counts against the limit of an environment. */
export function charactersOf(all: Variables): number {
  return all.reduce((sum, [name, value]) => sum + name.length + (value?.length ?? 0), 0);
}

/** A package that stays outside of the bundle: installed on the node, or taken from `directory` on the same machine. */
export const externalSchema = v.object({
  name: text(214),
  version: text(256),
  /** Empty where it is in no folder of the user's. */
  directory: text(4096),
  /** What it needs itself, as it is installed there: `name@version` each. */
  needs: v.pipe(v.array(text(512)), v.maxLength(2000)),
});
export type External = v.InferOutput<typeof externalSchema>;

/** The interpreter that a job's function was made by: what cloudpickle writes is read by the same minor version only. */
export const pythonSchema = v.object({
  /** Its program, on the machine of the workers, so that the user's packages are there; null elsewhere. */
  executable: v.nullable(text(4096)),
  /** Such as `3.12`. */
  version: v.pipe(v.string(), v.regex(/^\d{1,3}\.\d{1,3}$/)),
});
export type PythonInterpreter = v.InferOutput<typeof pythonSchema>;

/** What a job asks for. All values are complete: the client has compiled the user's options. */
export const jobSpecSchema = v.object({
  /** For people: the function's name unless the option `name` says another. */
  name: text(256),
  runtime: v.picklist(["node", "python"]),
  /** The image of its containers, one of the cluster spec; null for the first with its runtime. */
  image: v.nullable(imageNameSchema),
  /** Processors that one worker may use. */
  cpu: v.pipe(v.number(), v.minValue(0.01), v.maxValue(4096)),
  /** Memory of one worker; null takes the node's share. */
  ramMiB: v.nullable(positive),
  /** Calls at once over the whole cluster; null for as many as fit. */
  maxParallelism: v.nullable(positive),
  /** Calls at once in one worker. */
  concurrency: v.pipe(positive, v.maxValue(100_000)),
  onError: v.picklist(["throw", "continue"]),
  /** Further calls after an error of the user's function. */
  retries: v.pipe(count, v.maxValue(1000)),
  timeoutMs: v.nullable(v.pipe(v.number(), v.minValue(1))),
  /** Nodes that the cluster may add for this job, beyond those of its spec. */
  grow: v.pipe(count, v.maxValue(1000)),
  /** The job goes on and keeps its results when its client is gone. */
  detach: v.boolean(),
  /** All inputs are there, as in an array: to pull one is no work, and they may be pulled far ahead of whoever takes the results. */
  inputsAtHand: v.boolean(),
  /** Longest time of the set-up of one worker; null for a job without any. */
  setupTimeoutMs: v.nullable(v.pipe(v.number(), v.minValue(1))),
  /** The option `env`. Goes over what the workers have. */
  env: variablesSchema,
  /**
   * All that the calling program has in its environment, which workers that are processes of its machine have in the
   * place of their own; null elsewhere. Not written into the job's log, and gone from the disk when the job ends.
   */
  environment: v.nullable(variablesSchema),
  /** The client's working folder, taken by workers on the same machine; null elsewhere. */
  cwd: v.nullable(text(4096)),
  /** The job whose function started this one. */
  parent: v.nullable(jobId),
  /** For the runtime `python`, else null. */
  python: v.nullable(pythonSchema),
  bundle: v.object({ id: bundleId, externals: v.pipe(v.array(externalSchema), v.maxLength(1000)) }),
  /** Where its inputs, results and lines travel; null through main. Main decides: what a client says of it counts for nothing. */
  queue: v.nullable(queuePlaceSchema),
});
export type JobSpec = v.InferOutput<typeof jobSpecSchema>;

/** How a batch of results covers inputs: `first`, `first + 1`, ... unless `indices` names them one by one. */
const batchFields = {
  first: count,
  count: v.pipe(count, v.maxValue(MAX_CHUNK_INPUTS)),
  indices: v.nullable(positions),
  /** Positions in this batch whose call failed; their error envelopes are the second part of the body. */
  failed: positions,
  /** Length of the first part of the body: the array of fulfilled values, in the runtime's own form; 0 where there are none. */
  valuesBytes: count,
};

/** As a worker answers them. */
const answeredBatchFields = {
  ...batchFields,
  /** Those of `failed` that fail however often they are tried: no call can be made with them. */
  final: positions,
};

export const helloSchema = v.object({
  type: v.literal("hello"),
  protocolVersion: count,
  /** Identifies a build, for the person who reads a log. */
  software: text(128),
});

// client -> main

export const submitSchema = v.object({
  type: v.literal("submit"),
  jobId,
  spec: jobSpecSchema,
  /** Parts of the body: the bundle's code (0 when this client has sent it before), then the captured values. */
  codeBytes: count,
});
/** Takes up a job: its owner after a lost connection (`push`), or any reader from any place. */
export const attachSchema = v.object({
  type: v.literal("attach"),
  jobId,
  /** Sequence number of the last results message that the reader has seen, 0 for none. */
  afterSeq: count,
  push: v.boolean(),
  /** Position of the last lines that the reader has seen, 0 for none; null for a reader that wants only what comes. */
  linesAfter: v.nullable(count),
});
export const inputsSchema = v.object({
  type: v.literal("inputs"),
  jobId,
  chunkId: count,
  first: count,
  count: v.pipe(positive, v.maxValue(MAX_CHUNK_INPUTS)),
});
export const inputsEndSchema = v.object({ type: v.literal("inputsEnd"), jobId, total: count });
/** The consumer has taken everything up to and with this sequence number. */
export const ackSchema = v.object({ type: v.literal("ack"), jobId, seq: count });
/** How far a job is whose queue is elsewhere: totals since it began, as its client counts them. */
export const queueCountsSchema = v.object({
  type: v.literal("queueCounts"),
  jobId,
  pushed: count,
  answered: count,
  failed: count,
  /** Null until the last input was pushed. */
  total: v.nullable(count),
});
export const cancelSchema = v.object({ type: v.literal("cancel"), jobId, reason: text(1024) });
/** Body: the code of the job's bundle, which main has asked for. */
export const codeSchema = v.object({ type: v.literal("code"), jobId });
/** The reader goes; of a detached job nothing else changes. Answered with `left`. */
export const leaveSchema = v.object({ type: v.literal("leave"), jobId });

// main -> client

export const acceptedSchema = v.object({
  type: v.literal("accepted"),
  jobId,
  name: text(256),
  /** Chunks with an id below this are on disk in main; the client forgets them, and sends again from here. */
  chunksStored: count,
  inputsEnded: v.boolean(),
  /** Where inputs go and results come from; null for this connection. */
  queue: v.nullable(queuePlaceSchema),
});
/** Main has not the code of this job's bundle, or no longer: before `accepted`, the client submits it again and whole; later it says `code`. */
export const codeNeededSchema = v.object({ type: v.literal("codeNeeded"), jobId });
export const creditSchema = v.object({
  type: v.literal("credit"),
  jobId,
  /** Totals since the job began: the client may have pushed up to this many inputs and bytes. */
  inputs: count,
  bytes: count,
  /** Inputs that the next chunk should hold, by the measured time of a call. */
  chunkInputs: v.pipe(positive, v.maxValue(MAX_CHUNK_INPUTS)),
  chunksStored: count,
});
export const resultsSchema = v.object({
  type: v.literal("results"),
  jobId,
  seq: positive,
  ...batchFields,
  /** Positions to skip: answered before by another attempt, or about to be tried again. */
  dropped: positions,
  nodeId,
});
/** `position`: where the log of lines goes on, for `attach`. Body: MessagePack of `LogEntry[]`. */
export const logsSchema = v.object({ type: v.literal("logs"), jobId, nodeId, droppedLines: count, position: count });
/** In the place of an input's index: a line that the set-up of a worker printed, or one that was printed outside of it and of any call. */
export const SETUP_INDEX = -2;
export const NO_INPUT = -1;
/** One line printed by a call: input index (`SETUP_INDEX`, `NO_INPUT`), stream, Unix time in ms, text without its newline. */
export const logEntriesSchema = v.array(
  v.tuple([v.pipe(v.number(), v.integer(), v.minValue(SETUP_INDEX)), v.picklist([1, 2]), v.number(), v.string()]),
);
export type LogEntry = v.InferOutput<typeof logEntriesSchema>[number];

/** Who printed a line, as people are told it. */
export interface LineOrigin {
  /** The input whose call printed it, else `NO_INPUT`. */
  readonly index: number;
  readonly origin: "call" | "setup" | "other";
}

export function originOf(index: number): LineOrigin {
  if (index >= 0) return { index, origin: "call" };
  return { index: NO_INPUT, origin: index === SETUP_INDEX ? "setup" : "other" };
}

/** Entries in the body of a message of lines, without a look at each. */
export function countEntries(body: Uint8Array): number {
  const entries = unpack(body);
  return Array.isArray(entries) ? entries.length : 0;
}

export const progressSchema = v.object({
  type: v.literal("progress"),
  jobId,
  phase: v.picklist(["waiting", "running", "interrupted"]),
  /** Why it waits, for people; empty while it runs. */
  reason: text(1024),
  nodes: count,
  workers: count,
  pushed: count,
  running: count,
  done: count,
  failed: count,
  /** Results dropped because another attempt was first. */
  duplicates: count,
  /** Workers lost and replaced. */
  lostWorkers: count,
});
/** Last message of a job. Body: nothing, or what the job as a whole failed with, as that of `loadFailed`. */
export const finishedSchema = v.object({
  type: v.literal("finished"),
  jobId,
  outcome: v.picklist(["done", "failed", "cancelled"]),
  reason: text(4096),
  inputs: count,
  failed: count,
});
/** Nothing of this job comes after it, until the client attaches again. */
export const leftSchema = v.object({ type: v.literal("left"), jobId });
/** The request cannot be served; ends the job for this connection. */
export const refusedSchema = v.object({ type: v.literal("refused"), jobId, code: text(64), message: text(4096) });

// node -> main

const holdingSchema = v.object({ jobId, grantId: count });
export const nodeHelloSchema = v.object({
  type: v.literal("nodeHello"),
  nodeId,
  cpu: v.pipe(v.number(), v.minValue(0.01)),
  ramMiB: positive,
  /** The largest single worker that it may hold; on a shared machine more than its own share. */
  maxCpu: v.pipe(v.number(), v.minValue(0.01)),
  maxRamMiB: positive,
  pid: positive,
  /** Jobs that it works on and grants that it holds, after a lost connection. */
  jobs: v.array(jobId),
  holding: v.array(holdingSchema),
});
export const nodeStateSchema = v.object({
  type: v.literal("nodeState"),
  state: v.picklist(["BOOTING", "READY", "RUNNING", "REBOOTING", "FAILED"]),
  reason: text(1024),
  workers: v.pipe(
    v.array(
      v.object({
        workerId,
        runtime: v.picklist(["node", "python"]),
        /** Null where workers are processes. */
        image: v.nullable(text(256)),
        state: text(32),
        jobId: v.nullable(jobId),
        /** 0 for a worker that is no process of the node's machine. */
        pid: count,
      }),
    ),
    v.maxLength(4096),
  ),
  /** What it does for jobs before their first call can begin, for people, such as installing their packages. */
  preparing: v.pipe(v.array(v.object({ jobId, text: text(512) })), v.maxLength(1000)),
});
/** Its machine is about to be taken away: it finishes what it has begun, if it can, and is to get no more. */
export const nodeLeavingSchema = v.object({ type: v.literal("nodeLeaving"), reason: text(1024) });
/** Keeps the node's leases, sent by its agent whatever the user's code does; the answer to a health check. */
export const renewSchema = v.object({ type: v.literal("renew"), jobs: v.array(jobId) });
export const nodeResultsSchema = v.object({
  type: v.literal("nodeResults"),
  jobId,
  /** Numbers what a node must not lose; `stored` answers with it. */
  nodeSeq: positive,
  grantId: count,
  ...answeredBatchFields,
  /** Sum of the times of these calls. */
  runMs: v.pipe(v.number(), v.minValue(0)),
});
/** A grant is over. `unfinished` inputs (positions in its chunk) go back to the queue. */
export const grantEndedSchema = v.object({
  type: v.literal("grantEnded"),
  jobId,
  nodeSeq: positive,
  grantId: count,
  cause: v.picklist(["done", "released", "worker-exited", "out-of-memory", "timeout"]),
  /** How the worker ended, for the error that the user may see. */
  detail: text(4096),
  /** One for the first grant of a worker that ended by itself; the others that it held tell of none. */
  lostWorkers: v.picklist([0, 1]),
  unfinished: positions,
});
/** Lines that calls printed. Body: MessagePack of `LogEntry[]`. */
export const nodeLogsSchema = v.object({ type: v.literal("nodeLogs"), jobId, nodeSeq: positive, droppedLines: count });
/**
 * What a node has of a job whose queue is elsewhere: inputs that it holds now; the others are counted since the last such
 * message.
 */
export const queueHeldSchema = v.object({
  type: v.literal("queueHeld"),
  jobId,
  held: count,
  answered: count,
  failed: count,
  /** Answers that came too late: another node had taken over. */
  duplicates: count,
  lostWorkers: count,
  /** Sum of the times of the calls answered. */
  runMs: v.pipe(v.number(), v.minValue(0)),
});
/** It was told that it has the code of this job's bundle, and has it no longer. Answered with `nodeCode`. */
export const nodeCodeNeededSchema = v.object({ type: v.literal("nodeCodeNeeded"), jobId });
/** The function could not be loaded, or a worker not be set up: the job fails. Body: an error envelope, and perhaps that of its cause. */
export const loadFailedSchema = v.object({ type: v.literal("loadFailed"), jobId, nodeSeq: positive });

// main -> node

export const assignSchema = v.object({
  type: v.literal("assign"),
  jobId,
  spec: jobSpecSchema,
  /** Workers to use for this job. */
  workers: positive,
  /** Fits this job only; functions that start jobs of their own use it. */
  token: text(128),
  /** Parts of the body: code (0 when this node has it), then the captured values. */
  codeBytes: count,
});
/** Body: the code of the job's bundle; or, with an empty body, the reason why nobody has it any more. */
export const nodeCodeSchema = v.object({ type: v.literal("nodeCode"), jobId, missing: text(1024) });
/** Body: the whole chunk, of which `from` (inclusive) to `to` (exclusive) are granted. */
export const grantSchema = v.object({
  type: v.literal("grant"),
  jobId,
  grantId: count,
  chunkId: count,
  /** Index of the chunk's first input. */
  first: count,
  from: count,
  to: count,
  /** Counts from 1. */
  attempt: positive,
  /** A worker was lost with this input: it gets one to itself, so that no other is blamed for it. */
  alone: v.boolean(),
});
/** Main has everything up to this number on disk: the node forgets it. */
export const storedSchema = v.object({ type: v.literal("stored"), nodeSeq: count });
/** Give back what has not begun; finish what has. */
export const drainSchema = v.object({ type: v.literal("drain"), jobId });
/** Kill the job's workers now. A node without jobs then starts over with fresh containers. */
export const stopSchema = v.object({ type: v.literal("stop"), jobId, reason: text(1024) });
export const shutdownSchema = v.object({ type: v.literal("shutdown"), reason: text(1024) });

// node -> worker

/** Body: the captured values. */
export const loadSchema = v.object({
  type: v.literal("load"),
  jobId,
  bundlePath: text(4096),
  /** The folder with the Python packages that the job needs; null without any, and for JavaScript, which finds its own beside the bundle. */
  packagesPath: v.nullable(text(4096)),
  concurrency: positive,
  timed: v.boolean(),
  env: variables,
  /** `env` is all: what else the worker has in its environment is taken away, but for what begins with `BURLA_`. */
  isWholeEnv: v.boolean(),
  cwd: v.nullable(v.string()),
});
/** Body: the whole chunk. */
export const runSchema = v.object({
  type: v.literal("run"),
  grantId: count,
  first: count,
  from: count,
  to: count,
  attempt: positive,
});

// worker -> node

export const workerHelloSchema = v.object({ type: v.literal("workerHello"), workerId, token: id, pid: positive });
/** The bundle is loaded, and the function `setup` in it begins. */
export const setupStartedSchema = v.object({ type: v.literal("setupStarted") });
/** The bundle is loaded and the worker set up; or, with a body as that of `loadFailed`, it could not be. */
export const loadedSchema = v.object({ type: v.literal("loaded"), ok: v.boolean() });
/** These calls are about to begin; sent before them when the job has a timeout. */
export const startedSchema = v.object({ type: v.literal("started"), grantId: count, index: count });
export const workerResultsSchema = v.object({
  type: v.literal("workerResults"),
  grantId: count,
  ...answeredBatchFields,
  runMs: v.pipe(v.number(), v.minValue(0)),
});
/** Inputs of a grant that it has not begun and will not, from this position in the chunk on: the grant ran too long. */
export const givenBackSchema = v.object({ type: v.literal("givenBack"), grantId: count, from: count });
/** There is more to read in the files of its output (`printed.ts`). Sent before the results that it belongs to. */
export const printedSchema = v.object({ type: v.literal("printed") });

export const pingSchema = v.object({ type: v.literal("ping") });
/** The last message of a side that ends the connection, and why. `jobId`: the job whose message was the reason, if it was one. */
export const farewellSchema = v.object({ type: v.literal("farewell"), code: text(64), message: text(4096), jobId: v.nullable(jobId) });

const always = [helloSchema, pingSchema, farewellSchema] as const;
export const clientToMain = v.variant("type", [
  ...always, submitSchema, attachSchema, inputsSchema, inputsEndSchema, ackSchema, queueCountsSchema, codeSchema, cancelSchema, leaveSchema,
]);
export const mainToClient = v.variant("type", [
  ...always, acceptedSchema, codeNeededSchema, creditSchema, resultsSchema, logsSchema, progressSchema, finishedSchema, leftSchema, refusedSchema,
]);
export const nodeToMain = v.variant("type", [
  ...always, nodeHelloSchema, nodeStateSchema, nodeLeavingSchema, renewSchema, nodeResultsSchema, grantEndedSchema, loadFailedSchema, nodeLogsSchema,
  queueHeldSchema, nodeCodeNeededSchema,
]);
export const mainToNode = v.variant("type", [
  ...always, assignSchema, nodeCodeSchema, grantSchema, storedSchema, drainSchema, stopSchema, shutdownSchema,
]);
export const nodeToWorker = v.variant("type", [...always, loadSchema, runSchema]);
export const workerToNode = v.variant("type", [
  ...always, workerHelloSchema, setupStartedSchema, loadedSchema, startedSchema, workerResultsSchema, givenBackSchema, printedSchema,
]);

export type Hello = v.InferOutput<typeof helloSchema>;
export type Ping = v.InferOutput<typeof pingSchema>;
export type Farewell = v.InferOutput<typeof farewellSchema>;
/** Without what `Connection` handles itself. */
type Payload<Schema extends v.GenericSchema> = Exclude<v.InferOutput<Schema>, Hello | Ping | Farewell>;
export type ClientToMain = Payload<typeof clientToMain>;
export type MainToClient = Payload<typeof mainToClient>;
export type NodeToMain = Payload<typeof nodeToMain>;
export type MainToNode = Payload<typeof mainToNode>;
export type NodeToWorker = Payload<typeof nodeToWorker>;
export type WorkerToNode = Payload<typeof workerToNode>;

/** The message of a union that has this tag. */
export type Of<Union extends { type: string }, Type extends Union["type"]> = Extract<Union, { type: Type }>;

/** A batch of results, whichever hop it is on. */
export interface ResultBatch {
  readonly first: number;
  readonly count: number;
  readonly indices: readonly number[] | null;
  readonly failed: readonly number[];
  readonly valuesBytes: number;
}

/** On the hops from a worker to whoever decides what is tried again. */
export interface AnsweredBatch extends ResultBatch {
  readonly final: readonly number[];
}

/**
 * Whether a batch holds together: as many indices as inputs, failures among them in order, values within its body.
 * @throws BurlaError BURLA_PROTOCOL
 */
export function checkBatch({ first, count, indices, failed, valuesBytes }: ResultBatch, bodyBytes: number): void {
  const problem =
    (indices !== null && indices.length !== count && "it has not one index for each input") ||
    (first > Number.MAX_SAFE_INTEGER - count && "its inputs have no index") ||
    (failed.some((position, at) => position >= count || (at > 0 && position <= (failed[at - 1] ?? 0))) && "its failures are not among its inputs") ||
    (valuesBytes > bodyBytes && "its values are longer than what came");
  if (problem !== false) throw new BurlaError("BURLA_PROTOCOL", `a batch of results does not hold together: ${problem}`);
}

/** The input index at a position of a batch. */
export function indexAt(batch: Pick<ResultBatch, "first" | "indices">, position: number): number {
  return batch.indices === null ? batch.first + position : (batch.indices[position] ?? -1);
}
