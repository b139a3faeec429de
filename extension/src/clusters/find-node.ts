/** Finds the user's own Node.js: packages with native parts were installed for it, not for the editor's. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const TIMEOUT_MS = 5_000;
const OLDEST = [20, 19] as const;

/** @returns the path of the `node` in PATH, or undefined when there is none that is new enough. */
export async function findNode(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("node", ["-p", "process.version + ' ' + process.execPath"], { timeout: TIMEOUT_MS, env: withoutOptions() });
    return pathOf(stdout.trim());
  } catch {
    return undefined;
  }
}

/** @param answer such as `v20.19.5 /usr/bin/node`. */
export function pathOf(answer: string): string | undefined {
  const [, major, minor, path] = /^v(\d+)\.(\d+)\.\S+ (.+)$/.exec(answer) ?? [];
  const isNew = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
  return isNew ? path : undefined;
}

/** The editor's options are for its own program. */
function withoutOptions(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  delete environment["NODE_OPTIONS"];
  return environment;
}
