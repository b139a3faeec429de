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

/** Makes it, in a folder that keeps everybody else out. @throws Error when what has its name is somebody else's, or open to others. */
export function makeSocketsFolder(nodeFolder: string): void {
  const folder = socketsFolder(nodeFolder);
  const parent = dirname(folder);
  mkdirIfNew(parent, parent === nodeFolder);
  if (parent !== nodeFolder && !isPrivate(parent)) throw new Error(`${parent}, where the sockets of the workers would be, belongs to another user, is open to others, or is no folder: remove it`);
  mkdirIfNew(folder, true);
  if (!isOwnFolder(folder)) throw new Error(`${folder}, where the sockets of the workers would be, belongs to another user, or is no folder: remove it`);
}

/** What has its name among the temporary files and is not this user's own folder is left alone: anybody may have put it there. */
export function removeSocketsFolder(nodeFolder: string): void {
  const folder = socketsFolder(nodeFolder);
  const parent = dirname(folder);
  if (parent === nodeFolder) rmSync(folder, { recursive: true, force: true });
  else if (isOwnFolder(parent)) rmSync(parent, { recursive: true, force: true });
}

/** What is there already is for the caller to look at: also a link that leads nowhere. */
function mkdirIfNew(folder: string, recursive: boolean): void {
  try {
    mkdirSync(folder, { recursive, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function isPrivate(folder: string): boolean {
  return isOwnFolder(folder) && ((lstatSync(folder, { throwIfNoEntry: false })?.mode ?? 0o777) & 0o077) === 0;
}

/** A folder itself, not a link to one, and this user's: root owns what root has made, and nothing else. */
function isOwnFolder(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === (process.getuid?.() ?? found.uid);
}
