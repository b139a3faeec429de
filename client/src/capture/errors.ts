import { BurlaError } from "@burla/protocol";
import { pathText } from "./path.ts";

/** What a {@link CaptureError} is made of. */
export interface CaptureErrorDetails {
  /** From the user's function to the culprit, such as `["score", "db", "socket"]`. */
  path: readonly string[];
  /** What was found at the end of the path, such as `a socket`. */
  what: string;
  /** What the user can do about it: one sentence in the imperative. */
  cure: string;
  /** `file:line` of the function that holds the culprit, where known. */
  location?: string | undefined;
  cause?: unknown;
}

/**
 * The function cannot be sent. Thrown before anything leaves this process. The message names the way from the
 * function to the culprit, what it is, where, and the cure.
 */
export class CaptureError extends BurlaError {
  override name = "CaptureError";
  /** From the user's function to the culprit, such as `["score", "db", "socket"]`. */
  readonly path: string[];

  constructor(details: CaptureErrorDetails) {
    const { path, what, cure, location } = details;
    const where = location === undefined ? "" : ` (${location})`;
    super("BURLA_CAPTURE", `Cannot send ${pathText(path)}${where}: ${what}`, { cure, cause: details.cause });
    this.path = [...path];
  }
}
