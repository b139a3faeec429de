/** Where a node keeps the sockets of its workers. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** macOS has room for 104 bytes of a socket's path, Linux for 108, the zero at its end included. What is longer is cut. */
const MAX_SOCKET_PATH_BYTES = 103;
/** As long as the longest name of a socket in it. */
const LONGEST_NAME = "workers.sock";
const HASH_CHARS = 20;

/** In the node's own folder, unless that has too long a path: then in a private one among the temporary files. */
export function socketsFolder(nodeFolder: string): string {
  const usual = join(nodeFolder, "sockets");
  if (Buffer.byteLength(join(usual, LONGEST_NAME)) <= MAX_SOCKET_PATH_BYTES) return usual;
  const name = createHash("sha256").update(nodeFolder).digest("hex").slice(0, HASH_CHARS);
  return join(tmpdir(), `burla-${name}`, "sockets");
}

/** Makes it, in a folder that keeps everybody else out. @throws Error when that one is open to others. */
export function makeSocketsFolder(nodeFolder: string): void {
  const folder = socketsFolder(nodeFolder);
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  if (parent !== nodeFolder) {
    const { uid, mode } = lstatSync(parent);
    if (uid !== (process.getuid?.() ?? uid) || (mode & 0o077) !== 0) throw new Error(`${parent}, where the sockets of the workers would be, is open to other users: remove it`);
  }
  mkdirSync(folder, { recursive: true });
}

export function removeSocketsFolder(nodeFolder: string): void {
  const folder = socketsFolder(nodeFolder);
  rmSync(dirname(folder) === nodeFolder ? folder : dirname(folder), { recursive: true, force: true });
}
