/** Where main keeps its socket, and a node those of its workers. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** macOS has room for 104 bytes of a socket's path, Linux for 108, the zero at its end included. What is longer is cut. */
const MAX_SOCKET_PATH_BYTES = 103;
/** As long as the longest name of a socket in it. */
const LONGEST_NAME = "workers.sock";
const HASH_CHARS = 20;

/** The socket of the main that has this folder. */
export function mainSocketPath(directory: string): string {
  return join(socketsFolder(directory), "main.sock");
}

/** In the service's own folder, unless that has too long a path: then in a private one among the temporary files. */
export function socketsFolder(directory: string): string {
  const usual = join(directory, "sockets");
  if (Buffer.byteLength(join(usual, LONGEST_NAME)) <= MAX_SOCKET_PATH_BYTES) return usual;
  const name = createHash("sha256").update(directory).digest("hex").slice(0, HASH_CHARS);
  return join(tmpdir(), `burla-${name}`, "sockets");
}

/** Makes it, in a folder that keeps everybody else out. @throws Error when what has its name is somebody else's, or open to others. */
export function makeSocketsFolder(directory: string): void {
  const folder = socketsFolder(directory);
  const parent = dirname(folder);
  mkdirIfNew(parent, parent === directory);
  if (parent !== directory && !isPrivate(parent)) throw new Error(`${parent}, where sockets of the cluster would be, belongs to another user, is open to others, or is no folder: remove it`);
  mkdirIfNew(folder, true);
  if (!isOwnFolder(folder)) throw new Error(`${folder}, where sockets of the cluster would be, belongs to another user, or is no folder: remove it`);
}

/** What has its name among the temporary files and is not this user's own folder is left alone: anybody may have put it there. */
export function removeSocketsFolder(directory: string): void {
  const folder = socketsFolder(directory);
  const parent = dirname(folder);
  if (parent === directory) rmSync(folder, { recursive: true, force: true });
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
