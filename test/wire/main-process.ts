/** The real main service as a program of its own, in a folder of its own. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { childEnvironment, connectionFileSchema, type ConnectionFile } from "@burla/protocol";

const dist = fileURLToPath(new URL("../../client/dist", import.meta.url));

export interface MainProcess {
  readonly file: ConnectionFile;
  readonly child: ChildProcess;
  /** Its state; removed when it stops. */
  readonly directory: string;
  /** What it has written to its log so far. */
  log(): string;
  /** Asks it to end, and waits until it, its nodes and its folder are gone. */
  stop(): Promise<void>;
}

/**
 * @param nodes how many nodes of one worker it runs; none for tests of main alone.
 * @param earlier a main that has ended and whose state it takes over.
 */
export async function startMain(nodes: number, earlier?: Pick<MainProcess, "directory">): Promise<MainProcess> {
  const directory = earlier?.directory ?? (await mkdtemp(join(tmpdir(), "burla-main-")));
  const config = {
    directory,
    version: "test",
    spec: {
      name: "test", idleMinutes: 10,
      groups: [{ name: "n", count: nodes, cpu: 1, ramMiB: 512 }],
    },
    nodeProgram: join(dist, "services", "node.mjs"),
    workerProgram: join(dist, "services", "worker.mjs"),
    pythonWorkerProgram: join(dist, "python"),
    clientPackage: join(dist, ".."),
  };
  const child = spawn(process.execPath, [join(dist, "services", "main.mjs")], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { ...childEnvironment(), BURLA_MAIN: JSON.stringify(config) },
  });
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text));
  const exited = once(child, "exit");
  const ready = once(child.stdio[3] as NodeJS.ReadableStream, "data");
  await Promise.race([ready, exited.then(() => assert.fail(`main ended: ${log}`))]);
  const file = v.parse(connectionFileSchema, JSON.parse(await readFile(join(directory, "cluster.json"), "utf8")));
  return {
    file,
    child,
    directory,
    log: () => log,
    stop: async () => {
      if (child.exitCode === null) {
        await fetch(new URL("/v1/shutdown", file.url), { method: "POST", headers: { authorization: `Bearer ${file.token}` } });
        await exited;
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}
