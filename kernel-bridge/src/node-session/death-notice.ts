/** What a user is told when the session has ended under a cell. */
import type { SessionEnd } from "./session-process.ts";

export interface DeathFacts {
  /** What `process.exit` was called with, if it was. */
  readonly exitCode: number | null;
  readonly memoryLimitMiB: number | null;
}

/** The signals by which a program ends itself: V8 when its heap is full, native code for an `abort()`. */
const ABORTS: readonly (string | null)[] = ["SIGABRT", "SIGTRAP", "SIGILL"];

export function deathNotice({ code, signal, problem }: SessionEnd, { exitCode, memoryLimitMiB }: DeathFacts): string {
  return `The session has ended: ${reason()}. A new one has started; its variables are gone, so run the cells above again.`;

  function reason(): string {
    if (problem !== null) return problem;
    if (exitCode !== null) return `the code called process.exit(${exitCode})`;
    if (ABORTS.includes(signal)) {
      return `Node ended itself with ${signal}, as it does when its memory is full${memoryLimitMiB === null ? "" : ` (the limit is ${memoryLimitMiB} MiB)`}`;
    }
    if (signal === "SIGKILL") return "it was killed (SIGKILL), as the system does when its memory is full";
    return signal === null ? `Node ended with code ${code}` : `Node ended with ${signal}`;
  }
}
