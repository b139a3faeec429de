/** How much of the jobs of others is told: rows to everybody who looks, errors of calls to those who may read them. */
import type { JobSummary, WatchEvent } from "@burla/protocol";
import type { Identity } from "./auth.ts";

export interface Sight {
  /** Null for the owner, and for who is no person. */
  readonly person: string | null;
  /** Of the jobs of others too. */
  readonly readsAll: boolean;
}

export function sightOf(identity: Identity | null): Sight {
  const person = identity === null || identity.role === "node" || identity.role === "worker" ? null : identity.person;
  return { person, readsAll: identity?.role === "owner" || identity?.role === "viewer" };
}

export function seenBy({ person, readsAll }: Sight, job: JobSummary): JobSummary {
  return readsAll || job.person === person ? job : { ...job, failures: [] };
}

/** Lines of a watch. Those who may read all get them as they are. */
export function eventsSeenBy(sight: Sight, texts: AsyncGenerator<string>): AsyncGenerator<string> {
  return sight.readsAll ? texts : mapped(texts, (text) => `${JSON.stringify(eventSeenBy(sight, JSON.parse(text) as WatchEvent))}\n`);
}

function eventSeenBy(sight: Sight, event: WatchEvent): WatchEvent {
  if (event.type === "snapshot") return { ...event, status: { ...event.status, jobs: event.status.jobs.map((job) => seenBy(sight, job)) } };
  return event.type === "changes" ? { ...event, jobs: event.jobs.map((job) => seenBy(sight, job)) } : event;
}

async function* mapped(texts: AsyncGenerator<string>, change: (text: string) => string): AsyncGenerator<string> {
  for await (const text of texts) yield change(text);
}
