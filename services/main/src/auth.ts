/** Who asks, by the bearer token of the request. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { JobId, NodeId } from "@burla/protocol";

/** What a person may: all of it; work with jobs; look. */
export type PersonRole = "owner" | "user" | "viewer";

export type Identity =
  /** `person`: null for the owner. */
  | { role: PersonRole; person: string | null }
  /** `nodeId`: the only node that it may be; absent for the nodes of a local cluster, which share their token. */
  | { role: "node"; nodeId?: NodeId }
  | { role: "worker"; jobId: JobId };

export interface Tokens {
  /** Null where only its hash is known. */
  readonly owner: string | null;
  /** Of all nodes of a local cluster. */
  readonly node: string | null;
  /** Tokens of the jobs under way. */
  jobs(): Iterable<{ jobId: JobId; token: string }>;
  /** SHA-256 of the tokens of people, hex. */
  people?(): Iterable<{ role: PersonRole; id: string | null; hash: string }>;
  /** Short-lived ones, each for one node. */
  nodes?(): Iterable<{ nodeId: NodeId; token: string }>;
}

/** What an `Authorization` header holds; undefined when it is none of ours. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer ([\w-]{1,200})$/i.exec(authorization ?? "")?.[1];
}

/** @returns null when the header names nobody. Every comparison takes the same time. */
export function identify(authorization: string | undefined, tokens: Tokens): Identity | null {
  const given = bearerOf(authorization);
  if (given === undefined) return null;
  if (tokens.owner !== null && same(given, tokens.owner)) return { role: "owner", person: null };
  if (tokens.node !== null && same(given, tokens.node)) return { role: "node" };
  for (const { jobId, token } of tokens.jobs()) {
    if (same(given, token)) return { role: "worker", jobId };
  }
  return identifyPerson(given, tokens) ?? identifyNode(given, tokens);
}

function identifyPerson(given: string, tokens: Tokens): Identity | null {
  if (tokens.people === undefined) return null;
  const hash = hashOf(given);
  for (const person of tokens.people()) if (same(hash, person.hash)) return { role: person.role, person: person.id };
  return null;
}

function identifyNode(given: string, tokens: Tokens): Identity | null {
  for (const { nodeId, token } of tokens.nodes?.() ?? []) if (same(given, token)) return { role: "node", nodeId };
  return null;
}

/** What is kept of a token that need only be recognised. */
export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
