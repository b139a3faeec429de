/** Who asks, by the bearer token of the request. */
import { timingSafeEqual } from "node:crypto";
import type { JobId } from "@burla/protocol";

export type Identity = { role: "owner" } | { role: "node" } | { role: "worker"; jobId: JobId };

export interface Tokens {
  readonly owner: string;
  readonly node: string;
  /** Tokens of the jobs under way. */
  jobs(): Iterable<{ jobId: JobId; token: string }>;
}

/** @returns null when the header names nobody. Every comparison takes the same time. */
export function identify(authorization: string | undefined, tokens: Tokens): Identity | null {
  const given = /^Bearer ([\w-]{1,200})$/i.exec(authorization ?? "")?.[1];
  if (given === undefined) return null;
  if (same(given, tokens.owner)) return { role: "owner" };
  if (same(given, tokens.node)) return { role: "node" };
  for (const { jobId, token } of tokens.jobs()) {
    if (same(given, token)) return { role: "worker", jobId };
  }
  return null;
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
