/** What this window knows of one cluster, and how each event changes it. No editor, no sockets, no clock. */
import type { ClusterState as Heard, ClusterStatus, JobSummary, StartPhase } from "burla/control";

/** A cluster that the user may choose. */
export interface ClusterRef {
  /** `local`, the name of a cluster on Google Cloud, or the URL. */
  readonly id: string;
  readonly label: string;
  readonly kind: ClusterKind;
  /** Null for clusters that say in a file where they are. */
  readonly url: string | null;
}

/** On this machine; on Google Cloud, started from this machine; or one that the user has given the address of. */
export type ClusterKind = "local" | "cloud" | "address";

export const LOCAL_ID = "local";
export const LOCAL_CLUSTER: ClusterRef = { id: LOCAL_ID, label: "Local cluster", kind: "local", url: null };

/** How this window stands to the cluster. */
export type Link =
  /** Nobody says that it runs. */
  | { readonly kind: "off" }
  | { readonly kind: "connecting" }
  /** `ready` of `wanted` nodes have their containers; null while it is not known how many there will be. */
  | { readonly kind: "starting"; readonly ready: number; readonly wanted: number | null }
  | { readonly kind: "online" }
  | { readonly kind: "stopping" }
  /** It does not answer; it is tried again and again. */
  | { readonly kind: "unreachable"; readonly trouble: Trouble }
  /** Trying again would not help: the user has to do something first. */
  | { readonly kind: "error"; readonly trouble: Trouble };
export type LinkKind = Link["kind"];

/** What went wrong, in the words of the error. */
export interface Trouble {
  readonly code: string;
  readonly message: string;
  readonly cure: string;
}

export interface ClusterState {
  readonly ref: ClusterRef;
  readonly link: Link;
  /** The last that was heard; null when nothing was, or when it has ended. */
  readonly status: ClusterStatus | null;
  /** What this window does with it. Until that has ended, the cluster's not being there is no news. */
  readonly intent: "start" | "stop" | null;
}

export type ClusterEvent =
  | { readonly type: "dialling" }
  | { readonly type: "heard"; readonly heard: Heard }
  | { readonly type: "startAsked" }
  | { readonly type: "startPhase"; readonly phase: StartPhase }
  | { readonly type: "stopAsked" }
  /** What was asked for has happened, or the user has thought better of it. */
  | { readonly type: "ended" }
  | { readonly type: "startFailed"; readonly trouble: Trouble }
  /** The watching itself has failed. */
  | { readonly type: "failed"; readonly trouble: Trouble };

export function cloudRef(name: string): ClusterRef {
  return { id: name, label: name, kind: "cloud", url: null };
}

export const UNREACHABLE_CURE = "It is tried again by itself. If it was ended by force, start it anew.";

export function initialState(ref: ClusterRef): ClusterState {
  return { ref, link: { kind: "off" }, status: null, intent: null };
}

/** The state after the event. The same object when nothing changes. */
export function reduce(state: ClusterState, event: ClusterEvent): ClusterState {
  switch (event.type) {
    case "dialling":
      return state.intent === null && state.status === null ? { ...state, link: { kind: "connecting" } } : state;
    case "heard":
      return onHeard(state, event.heard);
    case "startAsked":
      return { ...state, intent: "start", link: { kind: "starting", ready: 0, wanted: null } };
    case "startPhase":
      return state.intent === "start" && event.phase.phase === "nodes"
        ? { ...state, link: { kind: "starting", ready: event.phase.ready, wanted: event.phase.wanted } }
        : state;
    case "stopAsked":
      return { ...state, intent: "stop", link: { kind: "stopping" } };
    case "ended":
      return { ...state, intent: null, link: state.status === null ? { kind: "off" } : { kind: "online" } };
    case "startFailed":
    case "failed":
      return { ...state, intent: null, status: null, link: { kind: "error", trouble: event.trouble } };
  }
}

function onHeard(state: ClusterState, heard: Heard): ClusterState {
  const status = statusOf(heard);
  if (state.intent === "stop") return { ...state, status };
  switch (heard.phase) {
    case "off":
      // A start that failed is told until something else is tried.
      return state.intent === "start" || hasFailedToStart(state) ? { ...state, status: null } : { ...state, status, link: { kind: "off" } };
    case "starting":
      // A node that starts in place of another does not make the cluster start.
      return { ...state, status, link: state.link.kind === "online" ? state.link : { kind: "starting", ready: heard.ready, wanted: heard.wanted } };
    case "running":
      return { ...state, status, link: { kind: "online" } };
    case "unreachable":
      if (state.intent === "start") return state;
      return { ...state, status, link: { kind: "unreachable", trouble: { code: "BURLA_UNREACHABLE", message: heard.reason, cure: UNREACHABLE_CURE } } };
    case "refused":
      return { ...state, status, link: { kind: "error", trouble: { code: heard.error.code, message: headOf(heard.error), cure: heard.error.cure } } };
  }
}

function hasFailedToStart({ link }: ClusterState): boolean {
  return link.kind === "error" && ["BURLA_CLUSTER_START", "BURLA_CLOUD"].includes(link.trouble.code);
}

/** The message of an error of Burla's own ends with its cure. */
function headOf({ message, cure }: { readonly message: string; readonly cure: string }): string {
  return message.split(`\n  ${cure}`)[0] ?? message;
}

function statusOf(heard: Heard): ClusterStatus | null {
  if (heard.phase === "off" || heard.phase === "refused") return null;
  return heard.phase === "unreachable" ? heard.last : heard.status;
}

/** One that does not answer, or has another version, can only be ended. Of one on Google Cloud that is off something may still be there. */
const STOPPABLE: Readonly<Record<ClusterKind, readonly LinkKind[]>> = {
  local: ["online", "unreachable", "error"],
  cloud: ["online", "unreachable", "error", "off"],
  address: [],
};

/** Whether it can be ended from here. */
export function mayStop({ kind }: ClusterRef, link: Link): boolean {
  return STOPPABLE[kind].includes(link.kind);
}

const LIVE_PHASES = ["waiting", "running"];

/** Jobs that a stop of the cluster would interrupt. */
export function liveJobs(status: ClusterStatus | null): JobSummary[] {
  return status?.jobs.filter(({ phase }) => LIVE_PHASES.includes(phase)) ?? [];
}
