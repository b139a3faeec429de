/** Gives a Python what runs notebooks: the packages ipykernel and cloudpickle, by its pip or by uv. No editor. */
import { spawn } from "node:child_process";
import { join } from "node:path";

export const KERNEL_PACKAGES = ["ipykernel", "cloudpickle"] as const;
/** What is kept of an installer's words, for the error. */
const MAX_TAIL_LENGTH = 2_000;

export interface InstallOptions {
  readonly python: string;
  readonly signal: AbortSignal;
  /** Takes what the installer says. */
  readonly onLine: (line: string) => void;
}

/** Why packages were not installed, and what helps. */
export class InstallError extends Error {
  /** The interpreter belongs to the system, which lets nobody install into it: an environment is the way. */
  readonly isManaged: boolean;

  constructor(message: string, isManaged = false) {
    super(message);
    this.name = "InstallError";
    this.isManaged = isManaged;
  }
}

/** @throws InstallError; the signal's reason when it is aborted. */
export async function installKernel({ python, signal, onLine }: InstallOptions): Promise<void> {
  const pip = await run([python, "-m", "pip", "install", "--disable-pip-version-check", ...KERNEL_PACKAGES], signal, onLine);
  if (pip.code === 0) return;
  if (!/No module named pip\b/.test(pip.tail)) throw failure(python, pip);
  const uv = await run(["uv", "pip", "install", "--python", python, ...KERNEL_PACKAGES], signal, onLine);
  if (uv.code === 0) return;
  throw uv.isMissing ? new InstallError(`${python} has no pip, and there is no uv: make an environment, or install pip for it`, true) : failure(python, uv);
}

/** Makes the virtual environment `.venv` of a folder. @returns its interpreter. @throws InstallError */
export async function createEnvironment(folder: string, { python, signal, onLine }: InstallOptions): Promise<string> {
  const home = join(folder, ".venv");
  const made = await run([python, "-m", "venv", home], signal, onLine);
  if (made.code !== 0) throw new InstallError(`no environment could be made in ${home}: ${lastWords(made.tail)}`);
  return process.platform === "win32" ? join(home, "Scripts", "python.exe") : join(home, "bin", "python");
}

interface Ended {
  readonly code: number | null;
  readonly tail: string;
  /** There is no such program. */
  readonly isMissing: boolean;
}

function failure(python: string, { tail }: Ended): InstallError {
  const isManaged = tail.includes("externally-managed-environment");
  return new InstallError(isManaged ? `${python} belongs to the system, which installs its packages by itself` : `ipykernel could not be installed into ${python}: ${lastWords(tail)}`, isManaged);
}

/** The line that says what is wrong is mostly the last one. */
function lastWords(tail: string): string {
  const lines = tail.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.findLast((line) => /^error/i.test(line)) ?? lines.at(-1) ?? "it said nothing";
}

function run([command = "", ...args]: readonly string[], signal: AbortSignal, onLine: (line: string) => void): Promise<Ended> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let tail = "";
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], signal });
    const hear = (data: Buffer) => {
      const text = data.toString("utf8");
      tail = (tail + text).slice(-MAX_TAIL_LENGTH);
      for (const line of text.split(/[\r\n]+/)) if (line.trim() !== "") onLine(line.trim());
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", (error: NodeJS.ErrnoException) => (signal.aborted ? reject(signal.reason as Error) : resolve({ code: null, tail: error.message, isMissing: error.code === "ENOENT" })));
    child.once("close", (code) => resolve({ code, tail, isMissing: false }));
  });
}
