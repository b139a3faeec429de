/** What the exit status of `burla` says. `docs/cli.md` is compared with this list by a test. */
import type { ErrorCode } from "@burla/protocol";

export const EXIT = {
  ok: 0,
  /** The user's function failed for some input, or a check of `burla doctor` failed. */
  failed: 1,
  /** The command, its options or its inputs cannot be. */
  usage: 2,
  /** The cluster is not running, cannot be reached or does not start. */
  unreachable: 3,
  /** The function cannot be captured, bundled or loaded. */
  capture: 4,
  /** The job ended before its last result: cancelled by somebody else, or its program ended early. */
  ended: 5,
  /** The cluster does not know the job. */
  noSuchJob: 6,
  /** `burla down` found running jobs and was not forced. */
  busy: 7,
  /** A fault of Burla itself. */
  fault: 70,
  /** Ctrl-C. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command tells by it how it ended. */
export type EndWith = (exitCode: ExitCode) => void;

const EXIT_OF_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  BURLA_CAPTURE: EXIT.capture,
  BURLA_PYTHON: EXIT.capture,
  BURLA_LOAD: EXIT.capture,
  BURLA_SETUP: EXIT.capture,
  BURLA_PACKAGES: EXIT.capture,
  BURLA_INPUT: EXIT.usage,
  BURLA_TOO_LARGE: EXIT.usage,
  BURLA_NO_FITTING_NODE: EXIT.usage,
  BURLA_RESULT: EXIT.failed,
  BURLA_TIMEOUT: EXIT.failed,
  BURLA_WORKER_LOST: EXIT.failed,
  BURLA_OUT_OF_MEMORY: EXIT.failed,
  BURLA_CANCELLED: EXIT.ended,
  BURLA_INTERRUPTED: EXIT.ended,
  BURLA_NO_SUCH_JOB: EXIT.noSuchJob,
  BURLA_SPEC: EXIT.usage,
  BURLA_CONTAINERS: EXIT.unreachable,
  BURLA_UNREACHABLE: EXIT.unreachable,
  BURLA_CLUSTER_START: EXIT.unreachable,
  BURLA_UNAUTHORIZED: EXIT.unreachable,
  BURLA_VERSION: EXIT.unreachable,
  BURLA_QUEUE: EXIT.unreachable,
  BURLA_CLOUD: EXIT.unreachable,
  BURLA_STORAGE: EXIT.unreachable,
  BURLA_KERNEL: EXIT.unreachable,
  BURLA_PROTOCOL: EXIT.fault,
};

export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXIT_OF_ERROR[code];
}
