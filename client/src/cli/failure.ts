/** Anything that ended a command, as message and cure. */
import { inspect } from "node:util";
import type { BurlaError} from "@burla/protocol";
import { isErrorCode, messageOf } from "@burla/protocol";
import { EXIT, exitCodeOf, type ExitCode } from "./exit-codes.ts";

export interface Failure {
  readonly exitCode: ExitCode;
  /** Of the error catalogue; null for a wrong command line and for faults. */
  readonly code: string | null;
  readonly message: string;
  /** What to do about it; empty when the message says it. */
  readonly cure: string;
}

/** The command, its options or the inputs are wrong. */
export class UsageError extends Error {
  override name = "UsageError";
  readonly cure: string;

  constructor(message: string, cure = "") {
    super(message);
    this.cure = cure;
  }
}

/** A command that has said what it had to say ends with this status. */
export class Exit extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) return { exitCode: EXIT.usage, code: null, message: error.message, cure: error.cure };
  if (hasCure(error)) {
    return { exitCode: exitCodeOf(error.code), code: error.code, message: withoutCure(error), cure: error.cure };
  }
  const option = /^(?:remoteParallelMap|attach): the option "(\w+)[^"]*" (.*)$/s.exec(messageOf(error));
  if (error instanceof TypeError && option !== null) {
    return { exitCode: EXIT.usage, code: null, message: `${flagOf(option[1] ?? "")} ${option[2] ?? ""}`, cure: "" };
  }
  if (error instanceof TypeError && /^(remoteParallelMap|attach): /.test(error.message)) {
    return { exitCode: EXIT.usage, code: null, message: error.message.replace(/^\w+: /, ""), cure: "" };
  }
  return {
    exitCode: EXIT.fault,
    code: null,
    message: `unexpected: ${messageOf(error)}`,
    cure: "This is a fault of Burla. With BURLA_DEBUG=1 the command shows where it happened; please report that.",
  };
}

/** The text for a terminal: message, then the cure on lines of its own. */
export function failureText(failure: Failure, error: unknown, debug: boolean): string {
  const cure = failure.cure === "" ? "" : `\n  ${failure.cure}`;
  return `burla: ${failure.message}${placeOf(error)}${cure}${debug ? `\n${inspect(error)}` : ""}\n`;
}

/** Where in the user's modules it happened, for a function that could not be loaded. */
function placeOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (code !== "BURLA_LOAD" || !(cause instanceof Error)) return "";
  return (cause.stack ?? "").split("\n").filter((line) => /^ +at /.test(line)).map((line) => `\n${line}`).join("");
}

/** BurlaError and CaptureError both tell what to do. */
function hasCure(error: unknown): error is Error & Pick<BurlaError, "code" | "cure"> {
  const { code, cure } = (error ?? {}) as { code?: unknown; cure?: unknown };
  return error instanceof Error && isErrorCode(code) && typeof cure === "string";
}

/** The message alone: BurlaError and CaptureError end theirs with the cure. */
export function withoutCure({ message, cure }: { message: string; cure: string }): string {
  return message.endsWith(cure) ? message.slice(0, -cure.length).trimEnd() : message;
}

/** `maxParallelism` -> `--max-parallelism`. */
function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
