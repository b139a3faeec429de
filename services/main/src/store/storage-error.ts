import { BurlaError, messageOf } from "@burla/protocol";

/** What a disk refuses, as an error of Burla's own that says what was tried. */
export function storageError(tried: string, cause: unknown): BurlaError {
  return cause instanceof BurlaError ? cause : new BurlaError("BURLA_STORAGE", `cannot ${tried}: ${messageOf(cause)}`, { cause });
}
