/**
 * What a bundle is called: the SHA-256 of all that it stands for, so that nobody can put other code under its name. Whoever
 * takes a bundle computes its name anew; what else is in a job's spec is the job's own and is kept under no name.
 *
 *   text "burla bundle" | text runtime | text number of externals
 *   for each: text name | text version | text directory | text number of needs | text need ...
 *   the code, up to the end
 *
 * where a text is its length in bytes (u32, little-endian) and its UTF-8. The Python client has the same in `bundle_id.py`.
 */
import { createHash } from "node:crypto";
import type { BundleId } from "./ids.ts";
import type { External, JobSpec } from "./messages.ts";

/** What a bundle is beside its code. */
export interface BundleKind {
  readonly runtime: JobSpec["runtime"];
  readonly externals: readonly External[];
}

/** The bytes before the code. They say themselves where they end: two kinds never give the same bytes with any code. */
export function bundleHead({ runtime, externals }: BundleKind): Uint8Array {
  const texts = ["burla bundle", runtime, String(externals.length)];
  for (const { name, version, directory, needs } of externals) texts.push(name, version, directory, String(needs.length), ...needs);
  return Buffer.concat(texts.flatMap(lengthAndBytes));
}

/** The only name under which this code may be kept or run. */
export function bundleIdOf(kind: BundleKind, code: Uint8Array): BundleId {
  return createHash("sha256").update(bundleHead(kind)).update(code).digest("hex") as BundleId;
}

/** The kind of the bundle that a job asks for. */
export function bundleKindOf({ runtime, bundle }: Pick<JobSpec, "runtime" | "bundle">): BundleKind {
  return { runtime, externals: bundle.externals };
}

function lengthAndBytes(text: string): Buffer[] {
  const bytes = Buffer.from(text, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.byteLength);
  return [length, bytes];
}
