/** The programs of the services and this package, as VMs get them: one archive, the same bytes for the same build. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { ownFile } from "../own-files.ts";

export interface ProgramArchive {
  readonly bytes: Uint8Array;
  /** SHA-256, hex. */
  readonly hash: string;
}

/** Beside this file, in `dist`. */
const WANTED = /^(index\.(js|cjs)|google-[\w-]+\.mjs|services\/.*|python\/.*)$/;

export async function packPrograms(): Promise<ProgramArchive> {
  const dist = ownFile(".");
  const names = (await readdir(dist, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(dist.length).replace(/^\/+/, "").replaceAll("\\", "/"))
    .filter((name) => WANTED.test(name))
    .sort();
  const archive = pack();
  const parts: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve, reject) => archive.on("data", (part: Buffer) => parts.push(part)).on("end", () => resolve(Buffer.concat(parts))).on("error", reject));
  const add = (name: string, content: Buffer) => archive.entry({ name, mtime: new Date(0) }, content);
  add("package.json", await readFile(ownFile("../package.json")));
  for (const name of names) add(`dist/${name}`, await readFile(`${dist}/${name}`));
  archive.finalize();
  const bytes = gzipSync(await whole);
  return { bytes, hash: createHash("sha256").update(bytes).digest("hex") };
}
