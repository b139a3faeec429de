/** From a bundle on disk and captured values to a callable. */
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { OWN_PREFIX, type NodeToWorker, type Of } from "@burla/protocol";

/** The user's function. */
export type UserFunction = (input: unknown, context: CallContext) => unknown;

/** What the function `setup` is told. */
export type SetupContext = Pick<CallContext, "signal" | "log">;

/** What a bundle makes. */
export interface UserFunctions {
  readonly call: UserFunction;
  readonly takesContext: boolean;
  /** Run once, before the first call; null for a job without set-up. */
  readonly setup: ((context: SetupContext) => unknown) | null;
}

/** The second argument of every call. */
export interface CallContext {
  readonly index: number;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly log: (...parts: unknown[]) => void;
  /** What the function `setup` has given. */
  readonly worker: unknown;
}

// Taken now: the user's code may replace it.
const { apply } = Reflect;

/** Gives the function, or it and the function `setup` as an array. */
interface BundleModule {
  default: (values: Uint8Array) => unknown;
  /** False for a function that means something of its own by a second argument. */
  takesContext?: boolean;
}

/**
 * Sets up the job's environment and imports its bundle.
 * @throws whatever the user's modules throw when they are imported; TypeError when they give no functions.
 */
export async function loadFunctions(message: Of<NodeToWorker, "load">, values: Uint8Array): Promise<UserFunctions> {
  enterEnvironment(message);
  if (message.cwd !== null) enter(message.cwd);
  process.setSourceMapsEnabled(true);
  const module = (await import(pathToFileURL(message.bundlePath).href)) as BundleModule;
  const made = await module.default(values);
  const [call, setup = null] = (Array.isArray(made) ? made : [made]) as unknown[];
  for (const fn of [call, ...(setup === null ? [] : [setup])]) {
    if (typeof fn !== "function") throw new TypeError(`what was sent is no function but ${inspect(fn, { depth: 0 })}`);
  }
  // Called by itself, so that it has the `this` of a plain call, whoever calls for it here.
  // Spread, they would come by the iterator of arrays, which the user's code may replace.
  const plainly: UserFunction = (...args) => apply(call as UserFunction, undefined, args);
  return { call: plainly, takesContext: module.takesContext ?? true, setup: setup as UserFunctions["setup"] };
}

/** Assigning tells the C library too, and the clock of a new time zone, which is why nothing is assigned that is there. */
function enterEnvironment({ env, isWholeEnv }: Pick<Of<NodeToWorker, "load">, "env" | "isWholeEnv">): void {
  const wanted = new Map(env);
  for (const name of Object.keys(process.env)) {
    const isGone = wanted.get(name) === null || (isWholeEnv && !wanted.has(name) && !name.startsWith(OWN_PREFIX));
    if (isGone) Reflect.deleteProperty(process.env, name);
  }
  for (const [name, value] of wanted) {
    if (value !== null && process.env[name] !== value) process.env[name] = value;
  }
}

/** The client's folder, where it exists: only on the same machine. */
function enter(folder: string): void {
  try {
    process.chdir(folder);
  } catch {
    // A worker elsewhere stays in its scratch folder.
  }
}
