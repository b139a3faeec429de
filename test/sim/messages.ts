/** What travels in the simulation: the protocol's messages without their bodies. */
import type { ClientToMain, JobId, JobSpec, MainToClient, MainToNode, NodeToMain, Of } from "@burla/protocol";

export type FromClient =
  | { readonly type: "submit"; readonly jobId: JobId; readonly spec: JobSpec }
  | (Of<ClientToMain, "inputs"> & { readonly bytes: number })
  | Of<ClientToMain, "attach" | "inputsEnd" | "ack" | "cancel">;

/** What became of one input; `gaveUp` is Burla's own error. */
export type Outcome = "ok" | "error" | "timeout" | "gaveUp";
type Results = Of<MainToClient, "results"> & { readonly outcomes: readonly Outcome[] };
export type ToClient = Results | Of<MainToClient, "accepted" | "credit" | "finished" | "refused">;

export type FromNode =
  | Of<NodeToMain, "nodeHello" | "renew" | "grantEnded">
  | { readonly type: "ready" }
  | (Of<NodeToMain, "nodeResults"> & { readonly outcomes: readonly Outcome[] });
export type ToNode =
  | { readonly type: "assign"; readonly jobId: JobId; readonly spec: JobSpec; readonly workers: number }
  | (Of<MainToNode, "grant"> & { readonly alone: boolean })
  | Of<MainToNode, "stored" | "drain" | "stop">;
