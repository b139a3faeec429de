/** Main's HTTP routes: control with JSON, so that `curl` works, and blobs by content hash. Bearer token on all but health. */
import * as v from "valibot";

/** `GET` with `Upgrade: burla`: becomes the framed connection of a client or a node. */
export const CONNECT_PATH = "/v1/connect";
export const UPGRADE_PROTOCOL = "burla";
/** Says which side of the conversation dials: `client` or `node`. */
export const ROLE_HEADER = "burla-role";

/** Of the bodies of a channel. */
export const CHANNEL_CONTENT_TYPE = "application/vnd.burla.frames";

export const ROUTES = {
  health: "/v1/health",
  status: "/v1/status",
  /** NDJSON of `WatchEvent`: the status, then what changes, until one side goes. */
  watch: "/v1/watch",
  jobs: "/v1/jobs",
  job: "/v1/jobs/:jobId",
  /**
   * `POST`: the conversation of a client about one job, for clients without the framed connection. The body of the request
   * and of its answer are frames, both streamed at the same time.
   */
  jobChannel: "/v1/jobs/:jobId/channel",
  /** NDJSON of `LogLineJson`; with `?follow=1` it goes on until the job has ended. Empty lines mean nothing. */
  jobLogs: "/v1/jobs/:jobId/logs",
  /** `JobFailures`: the first inputs that failed, with their errors. */
  jobFailures: "/v1/jobs/:jobId/failures",
  cancelJob: "/v1/jobs/:jobId/cancel",
  blob: "/v1/blobs/:hash",
  shutdown: "/v1/shutdown",
  /** Who may use the cluster beside its owner: `GET` lists them, `POST` of `NewPerson` answers a token, `DELETE` of one ends it. */
  people: "/v1/people",
  person: "/v1/people/:name",
  /** The archive of the programs, for the VMs of the cluster. */
  programs: "/v1/programs",
  /** A VM shows Google's signature for what it is, and gets a token for its node. */
  enrol: "/v1/enrol",
  /** Ends the cluster unless it has work. Answers `{ ended }`. */
  handOver: "/v1/hand-over",
} as const;

export const handedOverSchema = v.object({ ended: v.boolean() });

export const enrolledSchema = v.object({ token: v.string(), expiresAt: v.number() });

/** `user`: submits and cancels jobs. `viewer`: looks. */
export const newPersonSchema = v.object({ name: v.pipe(v.string(), v.regex(/^[\w.@-]{1,64}$/)), role: v.picklist(["user", "viewer"]) });
export type NewPerson = v.InferOutput<typeof newPersonSchema>;
export const addedPersonSchema = v.object({ token: v.string() });
export const peopleSchema = v.object({ people: v.array(newPersonSchema) });

/** One line that a call printed; index -1 outside of any call. */
export const logLineSchema = v.object({
  origin: v.picklist(["call", "setup", "other"]),
  index: v.number(),
  stream: v.picklist(["stdout", "stderr"]),
  timeMs: v.number(),
  nodeId: v.string(),
  text: v.string(),
});
export type LogLineJson = v.InferOutput<typeof logLineSchema>;

/** The file by which programs of one user find a running cluster. Mode 0600. */
export const connectionFileSchema = v.object({
  url: v.pipe(v.string(), v.url()),
  /**
   * The path of main's socket on this machine, in a folder that is the user's and closed to others: programs of Burla dial it
   * in place of the URL. Null where there is none.
   */
  socket: v.optional(v.nullable(v.string()), null),
  token: v.string(),
  /** For nodes only, and given to no worker. */
  nodeToken: v.string(),
  /** PEM: what the cluster must show; null for one on this machine, which is reached without TLS. */
  certificate: v.optional(v.nullable(v.string()), null),
  /** Who made its machines. */
  provider: v.optional(v.string(), "local"),
  pid: v.number(),
  version: v.string(),
  /** Hash of the services that run; empty where an older version does not say. */
  build: v.optional(v.string(), ""),
  protocolVersion: v.number(),
  startedAt: v.number(),
});
export type ConnectionFile = v.InferOutput<typeof connectionFileSchema>;
