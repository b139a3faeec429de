/** The disk of the node, which may be full: that is no fault of a job, and may be over in a moment. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BurlaError, storageError } from "@burla/protocol";

const DISK_CODES = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO", "EMFILE", "ENFILE", "ENOMEM"]);
/** Less room than this is none: a worker's files and a small bundle need it. */
const PROBE_BYTES = 1024 * 1024;

/** Whether the disk is to blame, and not who asked for the file. */
export function isDiskError(error: unknown): boolean {
  if (error instanceof BurlaError) return error.code === "BURLA_STORAGE";
  return DISK_CODES.has((error as NodeJS.ErrnoException | null)?.code ?? "");
}

/** @throws BurlaError BURLA_STORAGE when the folder takes nothing. */
export function checkRoom(directory: string): void {
  const path = join(directory, ".room");
  try {
    writeFileSync(path, Buffer.alloc(PROBE_BYTES, 1));
  } catch (cause) {
    throw storageError(`write to the folder of the node, ${directory}`, cause);
  } finally {
    rmSync(path, { force: true });
  }
}
