/** Which kernels an endpoint has, starting one, and joining one that runs. */
import { fileURLToPath } from "node:url";
import { BurlaError, messageOf } from "@burla/protocol";
import { within } from "../deadline.ts";
import type { Language } from "../kernel.ts";
import type { PythonClient } from "../python/arm.ts";
import { readSources } from "../python/sources.ts";
import type { JupyterEndpoint } from "./endpoint.ts";
import { interpreterKernel } from "./host/specs.ts";
import { JupyterKernel } from "./jupyter-kernel.ts";
import { KernelAPI, KernelSpecAPI } from "./library.ts";

/** As the build of this repository has placed it. */
const BURLA_PROGRAM = fileURLToPath(new URL("../../../client/dist/cli.js", import.meta.url));
const LOCAL_CURE = "Choose another kernel, or give this interpreter one: `python -m pip install ipykernel cloudpickle`.";
const SERVER_CURE = "Check the address and the token of the Jupyter server, and that it runs.";
const LIST_TIMEOUT_MS = 10_000;
/** Longer than the host's own, which knows what the kernel said. */
const START_TIMEOUT_MS = 70_000;

export interface KernelChoice {
  /** What `startKernel` takes. */
  readonly name: string;
  readonly displayName: string;
  readonly language: Language;
}

export interface RunningKernel {
  readonly id: string;
  readonly name: string;
  readonly language: Language;
  /** As the server sees it: `idle`, `busy`, `starting`, … */
  readonly state: string;
}

/** Where a bundle has what this package reads from beside its source, and how long a lost line is waited for. */
export interface KernelOptions {
  /** Folders with the Python packages that are put into kernels. */
  readonly pythonFolders?: readonly string[];
  /** The command line `burla`, as a program with its first arguments: it starts a local cluster on demand. */
  readonly burlaCommand?: readonly string[];
  /** What runs is given up when the kernel cannot be reached for so long; left out, five minutes. */
  readonly lineTimeoutMs?: number;
}

export interface StartOptions extends KernelOptions {
  /** Where a local kernel runs. */
  readonly folder?: string;
}

/** Kernels in languages that cells can be run in on a cluster; others are left out. @throws BurlaError BURLA_KERNEL */
export async function listKernels(endpoint: JupyterEndpoint): Promise<KernelChoice[]> {
  const { kernelspecs } = await ask(endpoint, "listing the kernels", LIST_TIMEOUT_MS, () => KernelSpecAPI.getSpecs(endpoint.settings));
  return Object.values(kernelspecs).flatMap((spec) => {
    const language = spec === undefined ? undefined : languageOf(spec.language);
    return spec === undefined || language === undefined ? [] : [{ name: spec.name, displayName: spec.display_name, language }];
  });
}

/** A Python interpreter that has the package `ipykernel`, as a kernel of this machine. */
export function interpreter(pythonPath: string): KernelChoice {
  return { name: interpreterKernel(pythonPath), displayName: pythonPath, language: "python" };
}

/** @throws BurlaError BURLA_KERNEL */
export async function listRunning(endpoint: JupyterEndpoint): Promise<RunningKernel[]> {
  const choices = new Map((await listKernels(endpoint)).map((choice) => [choice.name, choice]));
  const models = await ask(endpoint, "listing the running kernels", LIST_TIMEOUT_MS, () => KernelAPI.listRunning(endpoint.settings));
  return models.flatMap(({ id, name, execution_state = "unknown" }) => {
    const language = choices.get(name)?.language ?? (name.startsWith(interpreterKernel("")) ? "python" : undefined);
    return language === undefined ? [] : [{ id, name, language, state: execution_state }];
  });
}

/** A kernel of one's own: it ends with `dispose`. @throws BurlaError BURLA_KERNEL with what its program said. */
export async function startKernel(endpoint: JupyterEndpoint, { name, language }: Pick<KernelChoice, "name" | "language">, { folder, ...options }: StartOptions = {}): Promise<JupyterKernel> {
  // A server takes paths in its own root only.
  const path = endpoint.isLocal && folder !== undefined ? { path: folder } : {};
  const model = await ask(endpoint, `starting ${name}`, START_TIMEOUT_MS, () => KernelAPI.startNew({ name, ...path }, endpoint.settings));
  return JupyterKernel.open({ endpoint, model, language, isOwn: true, client: clientOf(options), ...patience(options) });
}

/** A kernel that runs already, and goes on when it is left. @throws BurlaError BURLA_KERNEL */
export async function connectKernel(endpoint: JupyterEndpoint, { id, name, language }: Pick<RunningKernel, "id" | "name" | "language">, options: KernelOptions = {}): Promise<JupyterKernel> {
  const model = await ask(endpoint, `finding kernel ${id}`, LIST_TIMEOUT_MS, () => KernelAPI.getKernelModel(id, endpoint.settings));
  if (model === undefined) throw new BurlaError("BURLA_KERNEL", `there is no kernel ${id} (${name}) at ${endpoint.name}`);
  return JupyterKernel.open({ endpoint, model, language, isOwn: false, client: clientOf(options), ...patience(options) });
}

function patience({ lineTimeoutMs }: KernelOptions): { lineTimeoutMs?: number } {
  return lineTimeoutMs === undefined ? {} : { lineTimeoutMs };
}

/** The client of Python kernels, read at its first use. */
export function clientOf({ pythonFolders, burlaCommand = [process.execPath, BURLA_PROGRAM] }: KernelOptions): () => Promise<PythonClient> {
  let reading: Promise<PythonClient> | undefined;
  return () => (reading ??= readSources(pythonFolders).then((sources) => ({ sources, command: burlaCommand })));
}

/** Undefined for languages that cells cannot be run in here. */
export function languageOf(name: string): Language | undefined {
  const language = name.toLowerCase();
  return language === "python" || language === "typescript" || language === "javascript" ? language : undefined;
}

async function ask<T>(endpoint: JupyterEndpoint, what: string, timeoutMs: number, request: () => Promise<T>): Promise<T> {
  try {
    return await within(request(), timeoutMs, `${what} at ${endpoint.name}`);
  } catch (error) {
    if (error instanceof BurlaError) throw error;
    throw new BurlaError("BURLA_KERNEL", `${what} at ${endpoint.name} failed: ${messageOf(error)}`, { cause: error, cure: endpoint.isLocal ? LOCAL_CURE : SERVER_CURE });
  }
}
