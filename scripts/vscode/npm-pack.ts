/** Packages fetched without installing them: `npm pack`, compared with the content that we pinned. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "./run.ts";

export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** As in a lock file: `sha512-` and the hash in base64. */
  readonly integrity: string;
}

/**
 * @returns the path of the package's archive, in `folder`.
 * @throws Error when npm cannot fetch it, or when its content is not the pinned one.
 */
export async function packNpm({ name, version, integrity }: PinnedPackage, folder: string): Promise<string> {
  const printed = await run("npm", ["pack", "--silent", "--pack-destination", folder, `${name}@${version}`], { cwd: folder });
  const archive = join(folder, printed.trim().split("\n").at(-1) ?? "");
  const hash = createHash("sha512");
  await pipeline(createReadStream(archive), hash);
  const found = `sha512-${hash.digest("base64")}`;
  if (found !== integrity) throw new Error(`${name}@${version} is not what it was: its hash is ${found}, pinned is ${integrity}. Do not use it.`);
  return archive;
}

/** Unpacks the parts of an archive that are named, without their leading `strip` folders. */
export async function unpack(archive: string, folder: string, { strip, only }: { strip: number; only: readonly string[] }): Promise<void> {
  await run("tar", ["-xzf", archive, "-C", folder, `--strip-components=${strip}`, ...only], {});
}
