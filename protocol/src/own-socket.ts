/**
 * Whether what listens on a socket is a program of this user: nobody else can have put it into a folder that is this
 * user's and closed to others. So a token that is said there is heard by nobody else.
 */
import { lstatSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { BurlaError } from "./errors.ts";

const WRITABLE_BY_OTHERS = 0o022;

/** @throws BurlaError BURLA_UNREACHABLE when it, or a folder that holds it, is not there or not this user's own. */
export function checkOwnSocket(path: string): void {
  const folder = dirname(path);
  const isOwn = isOwnedBy(process.getuid?.());
  if (!isOwn(dirname(folder))) throw refused(path, `${dirname(folder)} is not there, or belongs to another user`);
  const found = statsOf(folder);
  if (!isOwn(folder) || found?.isDirectory() !== true) throw refused(path, `${folder} is not there, belongs to another user, or is no folder`);
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) throw refused(path, `${folder} is open to others`);
  if (!isOwn(path) || statsOf(path)?.isSocket() !== true) throw refused(path, "it is not there, belongs to another user, or is no socket");
}

/** A link is somebody's as well: whoever owns it says where it leads. */
function isOwnedBy(user: number | undefined): (path: string) => boolean {
  return (path) => user !== undefined && statsOf(path)?.uid === user;
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function refused(path: string, reason: string): BurlaError {
  return new BurlaError("BURLA_UNREACHABLE", `the cluster's socket ${path} is not dialled: ${reason}`);
}
