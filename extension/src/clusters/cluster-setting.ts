/** Reads and checks what the user says of a cluster. */
import type { ClusterRef } from "./state.ts";

export interface ClusterSetting {
  readonly name: string;
  readonly url: string;
}

const MAX_NAME_CHARACTERS = 64;

/** Entries that cannot be read are passed over: the editor marks them in the settings by the manifest's schema. */
export function refsFrom(setting: unknown): ClusterRef[] {
  if (!Array.isArray(setting)) return [];
  const refs = new Map<string, ClusterRef>();
  for (const entry of setting as unknown[]) {
    const { name, url } = (typeof entry === "object" && entry !== null ? entry : {}) as { name?: unknown; url?: unknown };
    if (typeof name !== "string" || typeof url !== "string" || nameProblem(name) !== null) continue;
    const id = normalizeUrl(url);
    if (id !== null) refs.set(id, { id, label: name.trim(), kind: "address", url: id });
  }
  return [...refs.values()];
}

/** The address in one spelling, without path and password; null when it is none. */
export function normalizeUrl(text: string): string | null {
  if (!URL.canParse(text.trim())) return null;
  const { protocol, origin } = new URL(text.trim());
  return protocol === "https:" || protocol === "http:" ? origin : null;
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** What is wrong with an address that is being typed, or null. A token must not travel in the clear. */
export function urlProblem(text: string): string | null {
  const url = normalizeUrl(text);
  if (url === null) return "An address such as https://10.0.0.5:8443";
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || LOOPBACK.includes(hostname) ? null : "The token would travel unencrypted: use https, or an address of this machine.";
}

export function nameProblem(text: string): string | null {
  const { length } = text.trim();
  if (length === 0) return "A name, such as Team cluster";
  return length > MAX_NAME_CHARACTERS ? `At most ${MAX_NAME_CHARACTERS} characters` : null;
}
