/**
 * The catalogue of errors. A code exists only where somebody would act differently on it; match on `code`, not on the
 * class. `docs/errors.md` is compared with this list by a test.
 */
export const ERROR_CATALOGUE = {
  BURLA_CAPTURE: "Pass what the message names as an input, or create it inside the function.",
  BURLA_INPUT: "Send plain data: what structured clone can copy. Convert the named part before the call.",
  BURLA_RESULT: "Return plain data: what structured clone can copy. Convert the named part before returning.",
  BURLA_TOO_LARGE: "Split the value, or pass a path or URL instead of the content.",
  BURLA_TIMEOUT: "Raise `timeoutMs`, or make the call shorter.",
  BURLA_WORKER_LOST: "Run the function on this input locally: it ends its process. The message says how it ended.",
  BURLA_OUT_OF_MEMORY: "Raise `ram`, or make the input smaller.",
  BURLA_LOAD: "Run `burla bundle --explain file.ts#fn` to see what was sent; the cause is the error of the module.",
  BURLA_SETUP: "Mend the function `setup`: the cause is its own error; `setupTimeoutMs` says how long it may take.",
  BURLA_PYTHON: "Run the workers with the Python that calls, with cloudpickle installed; `docs/python.md` says how they find it.",
  BURLA_PACKAGES: "Mend what the installer complains of, or name an image in the cluster spec that has the packages; `docs/containers.md` says where they are looked for.",
  BURLA_CANCELLED: "Nothing to mend: the job was cancelled, by this process or by `burla cancel`.",
  BURLA_INTERRUPTED: "The program that fed this job ended before its last input. Run the rest as a new job.",
  BURLA_NO_SUCH_JOB: "`burla jobs` lists the jobs that this cluster knows.",
  BURLA_NO_FITTING_NODE: "Ask for less `cpu` or `ram`, or start a cluster with larger machines.",
  BURLA_UNREACHABLE: "`burla doctor` says what is wrong with the set-up and how to mend it.",
  BURLA_CLUSTER_START: "`burla doctor` says what is wrong with the set-up; the end of the cluster's log is in the message.",
  BURLA_SPEC: "Correct the document; `docs/containers.md` has one with every part explained.",
  BURLA_CONTAINERS: "`docker info` shows whether the engine answers; the message has what it said.",
  BURLA_UNAUTHORIZED: "Use the token of this cluster; `burla up` writes it for its owner.",
  BURLA_VERSION: "Stop the cluster with `burla down` and call again: it starts in the version of this client.",
  BURLA_PROTOCOL: "This is a fault of Burla, or the peer is not Burla. Please report it with the log of the cluster.",
  BURLA_KERNEL: "Restart the kernel and run the cell again; the message says what the kernel did.",
  BURLA_QUEUE: "Check that this machine reaches Cloud Firestore and may use it; `docs/firestore.md` lists the roles.",
  BURLA_CLOUD: "The message has what Google Cloud said; docs/gcp.md lists what a project needs.",
  BURLA_STORAGE: "The message names the file and what the system said of it; `burla doctor` looks at the state folder.",
} as const;

/** Between a message and its cure. */
const CURE_BEGINS = "\n  ";

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface BurlaErrorOptions {
  cause?: unknown;
  /** Replaces the catalogue's cure where a better one is known. */
  cure?: string;
}

/** Every error of Burla's own. Errors of the user's function are never of this class. */
export class BurlaError extends Error {
  override name = "BurlaError";
  readonly code: ErrorCode;
  /** What to do about it, one sentence. */
  readonly cure: string;
  /** The input that it belongs to, where there is one. */
  declare inputIndex?: number;

  constructor(code: ErrorCode, message: string, options: BurlaErrorOptions = {}) {
    const cure = options.cure ?? ERROR_CATALOGUE[code];
    super(`${message}${CURE_BEGINS}${cure}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.cure = cure;
  }
}

/** A call ran longer than the option `timeoutMs`; its worker was killed. */
export class TimeoutError extends BurlaError {
  override name = "TimeoutError";
  constructor(message: string, options?: BurlaErrorOptions) {
    super("BURLA_TIMEOUT", message, options);
  }
}

/** The class for a code: `TimeoutError` for BURLA_TIMEOUT, else `BurlaError`. */
export function burlaError(code: ErrorCode, message: string, options?: BurlaErrorOptions): BurlaError {
  return code === "BURLA_TIMEOUT" ? new TimeoutError(message, options) : new BurlaError(code, message, options);
}

/**
 * An error as another process told it, in one text: its message, and in a line of its own what to do about it where that
 * is not what the catalogue says.
 */
export function toldError(code: ErrorCode, text: string): BurlaError {
  const at = text.lastIndexOf(CURE_BEGINS);
  return at < 0 ? burlaError(code, text) : burlaError(code, text.slice(0, at), { cure: text.slice(at + CURE_BEGINS.length) });
}

/** The text for `toldError`: without a cure that the other side knows, unless something in the message looks like one. */
export function toldText(error: BurlaError): string {
  const usual = `${CURE_BEGINS}${ERROR_CATALOGUE[error.code]}`;
  const message = error.message.endsWith(usual) ? error.message.slice(0, -usual.length) : error.message;
  return message.includes(CURE_BEGINS) ? error.message : message;
}

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(ERROR_CATALOGUE, text);
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
