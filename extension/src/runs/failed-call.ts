/** An input that failed, as a test of it is made from it. */
import type { FunctionRef } from "../runner/messages.ts";
import type { PlainError } from "../runner/spool-line.ts";

export interface FailedCall {
  /** The file of the function. */
  readonly file: string;
  readonly fn: FunctionRef;
  readonly label: string;
  /** Whether the file lets others import it. */
  readonly isExported: boolean;
  readonly index: number;
  /** As the spool has it; undefined when it was too long to be kept. */
  readonly input: unknown;
  readonly sourceLabel: string;
  readonly error: PlainError;
}

/** What stands in a comment. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("*/", "* /");
}
