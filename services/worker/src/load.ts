/** From a bundle on disk and captured values to a callable. */
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import type { NodeToWorker, Of } from "@burla/protocol";

/** The user's function. */
export type UserFunction = (input: unknown, context: CallContext) => unknown;

/** The second argument of every call. */
export interface CallContext {
  readonly index: number;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly log: (...parts: unknown[]) => void;
}

interface BundleModule {
  default: (values: Uint8Array) => UserFunction | Promise<UserFunction>;
}

/**
 * Sets up the job's environment and imports its bundle.
 * @throws whatever the user's modules throw when they are imported; TypeError when they give no function.
 */
export async function loadFunction(message: Of<NodeToWorker, "load">, values: Uint8Array): Promise<UserFunction> {
  Object.assign(process.env, message.env);
  if (message.cwd !== null) enter(message.cwd);
  process.setSourceMapsEnabled(true);
  const module = (await import(pathToFileURL(message.bundlePath).href)) as BundleModule;
  const fn: unknown = await module.default(values);
  if (typeof fn !== "function") throw new TypeError(`what was sent is no function but ${inspect(fn, { depth: 0 })}`);
  return fn as UserFunction;
}

/** The client's folder, where it exists: only on the same machine. */
function enter(folder: string): void {
  try {
    process.chdir(folder);
  } catch {
    // A worker elsewhere stays in its scratch folder.
  }
}
