/** What a disk refuses, as an error that says what was tried, what the system answered, and what helps against that. */
import { BurlaError, messageOf } from "./errors.ts";

const NO_ROOM = "Make room on the disk that holds it.";
const NO_FOLDER = "Its folder is gone, or is no folder: put it back, or end the cluster with `burla down` and start it anew.";
const NO_RIGHT = "Give the user who runs the cluster the right to read and write it.";
const TOO_MANY_FILES = "Raise the limit of open files (`ulimit -n`), or end what holds many of them.";

/** By what the system calls it. */
const CURES: Readonly<Record<string, string>> = {
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  EFBIG: "Raise the limit on the size of files (`ulimit -f`) of whoever starts the cluster.",
  ENOENT: NO_FOLDER,
  ENOTDIR: NO_FOLDER,
  EACCES: NO_RIGHT,
  EPERM: NO_RIGHT,
  EROFS: "The disk may only be read: mount it for writing, or set BURLA_HOME to a folder on another one.",
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
  EIO: "The disk itself fails: save what is on it, and set BURLA_HOME to a folder on another one.",
  ENOMEM: "The machine has no memory left: end what takes much of it.",
};

/** What may be otherwise in a moment, without anybody having to mend a file. */
const PASSING = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EINTR", "EBUSY"]);

/** The name that the system gives a refusal, such as `ENOSPC`; empty for anything else. */
export function systemCode(error: unknown): string {
  const code: unknown = (error as { code?: unknown } | null)?.code;
  if (error instanceof BurlaError) return systemCode(error.cause);
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : "";
}

/** Whether there are too many open files, here or on the machine, or no memory: no fault of the file that was asked for. */
export function isPassing(error: unknown): boolean {
  return PASSING.has(systemCode(error));
}

/** @param tried such as `write to /a/file`. @param cure where a better one is known than that of the cause. */
export function storageError(tried: string, cause: unknown, cure?: string): BurlaError {
  if (cause instanceof BurlaError) return cause;
  const found = cure ?? CURES[systemCode(cause)];
  return new BurlaError("BURLA_STORAGE", `cannot ${tried}: ${messageOf(cause)}`, { cause, ...(found !== undefined && { cure: found }) });
}

/** A file that does not hold what was written into it: it cannot be read now, nor later. */
export class DamageError extends BurlaError {
  /** @param cure where there is one for this file. */
  constructor(file: string, what: string, { cause, cure = "The disk has changed it, or another program: what it held is lost. Run the job again." }: { cause?: unknown; cure?: string } = {}) {
    super("BURLA_STORAGE", `${file} is damaged: ${what}`, { ...(cause !== undefined && { cause }), cure });
  }
}
