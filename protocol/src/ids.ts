import { randomBytes } from "node:crypto";

/** A string that is told apart from others by the type checker only. */
type Branded<Name extends string> = string & { readonly __brand: Name };

/** One call of `remoteParallelMap`. Made by the client, so that it is known before anything is sent. */
export type JobId = Branded<"JobId">;
/** One node service, stable over its reconnects. */
export type NodeId = Branded<"NodeId">;
/** One worker process or container. */
export type WorkerId = Branded<"WorkerId">;
/** SHA-256 of all that a bundle stands for, in hex: see `bundle-id.ts`. */
export type BundleId = Branded<"BundleId">;

/** Base 32 without letters that are read as another (Crockford). Sorts by time when made by `newJobId`. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

function base32(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += ALPHABET[byte & 31] ?? "";
  return text;
}

function timePrefix(nowMs: number): string {
  let text = "";
  for (let rest = nowMs, digit = 0; digit < 9; digit++) {
    text = (ALPHABET[rest % 32] ?? "") + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** `job-` and 19 characters: nine of time, so that ids sort by age, and ten (50 bits) of chance. */
export function newJobId(nowMs: number = Date.now()): JobId {
  return `job-${timePrefix(nowMs)}${base32(randomBytes(10))}` as JobId;
}

/** `w-` and 8 random characters. */
export function newWorkerId(): WorkerId {
  return `w-${base32(randomBytes(8))}` as WorkerId;
}

/** A bearer secret: 32 random bytes, base64url. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}
