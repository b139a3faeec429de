/** The systems that are compared, and how each is made ready on this machine. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../harness/runner-process.ts";
import { ensureContainers } from "./containers.ts";
import { ensureDask, ensurePython, type Python } from "./python.ts";
import { ensureRedis } from "./redis.ts";
import { messageOf } from "@burla/protocol";
import { ensureInstalled } from "../../scripts/firestore/emulator.mjs";
import { builtRunner } from "./build-runners.ts";

export interface System {
  readonly name: string;
  readonly language: "javascript" | "python";
  readonly program: Program;
  readonly version: string;
  /** Another process can join a system that is up, so that a call from a fresh process may find it warm. */
  readonly shared: boolean;
}

export interface Unavailable {
  readonly name: string;
  readonly reason: string;
}

export type Peer = System | Unavailable;

type Maker = () => Promise<Peer>;

const pythonDir = join(import.meta.dirname, "../runners/python");

const nodeModules = join(import.meta.dirname, "../../node_modules");

function npmVersion(name: string): string {
  return (JSON.parse(readFileSync(join(nodeModules, name, "package.json"), "utf8")) as { version: string }).version;
}

function node(name: string, shared: boolean, version: string): System {
  const program = { command: process.execPath, args: [builtRunner(name)], env: {} };
  return { name, language: "javascript", program, version, shared };
}

/** A program of `runners/python`. */
export function pythonProgram(python: string, file: string): Program {
  return { command: python, args: [join(pythonDir, file)], env: { PYTHONDONTWRITEBYTECODE: "1" } };
}

function onPython(name: string, file: string, packageName: string, shared: boolean): Maker {
  return async () => {
    const python: Python = await ensurePython();
    const version = python.versions.get(packageName);
    if (version === undefined) return { name, reason: python.missing.get(packageName) ?? "not installed" };
    return { name, language: "python", program: pythonProgram(python.command, file), version, shared };
  };
}

const makers: Readonly<Record<string, Maker>> = {
  burla() {
    const built = existsSync(join(nodeModules, "burla/dist/index.js"));
    return Promise.resolve(built ? node("burla", true, npmVersion("burla")) : { name: "burla", reason: "not built: npm run build" });
  },
  async docker() {
    const image = await ensureContainers();
    if ("reason" in image) return { name: "docker", reason: image.reason };
    const system = node("burla", true, `${npmVersion("burla")}, Docker Engine ${image.version}`);
    return { ...system, name: "docker", program: { ...system.program, env: { BENCH_CONTAINERS: "docker" } } };
  },
  firestore() {
    try {
      ensureInstalled();
    } catch (error) {
      return Promise.resolve({ name: "firestore", reason: messageOf(error) });
    }
    const system = node("burla", true, `${npmVersion("burla")}, Google's emulator of Cloud Firestore`);
    const program = { ...system.program, env: { BENCH_EMULATOR: join(import.meta.dirname, "../../scripts/firestore/emulator.mjs") } };
    return Promise.resolve({ ...system, name: "firestore", program });
  },
  piscina: () => Promise.resolve(node("piscina", false, npmVersion("piscina"))),
  workerpool: () => Promise.resolve(node("workerpool", false, npmVersion("workerpool"))),
  async bullmq() {
    const redis = await ensureRedis();
    if ("reason" in redis) return { name: "bullmq", reason: redis.reason };
    return node("bullmq", true, `${npmVersion("bullmq")}, Redis ${redis.version}`);
  },
  "ray-pool": onPython("ray-pool", "ray_pool.py", "ray", true),
  ray: onPython("ray", "ray_tasks.py", "ray", true),
  joblib: onPython("joblib", "joblib_loky.py", "joblib", false),
  async dask() {
    const dask = await ensureDask();
    if ("reason" in dask) return { name: "dask", reason: dask.reason };
    const program = pythonProgram(dask.command, "dask_distributed.py");
    return { name: "dask", language: "python", program, version: dask.version, shared: true };
  },
};

/** The names of all systems, the product first. */
export const systemNames: readonly string[] = Object.keys(makers);

/** Makes a system ready, or tells why it cannot be had. */
export async function preparePeer(name: string): Promise<Peer> {
  const make = makers[name];
  if (make === undefined) throw new Error(`No system "${name}". There are: ${systemNames.join(", ")}`);
  try {
    return await make();
  } catch (error) {
    return { name, reason: error instanceof Error ? error.message : String(error) };
  }
}
