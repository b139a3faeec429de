/** The container runtime that the cluster spec asks for. */
import type { NodeConfig, NodeFolders } from "../config.ts";
import { ProcessRuntime } from "./process.ts";
import type { ContainerRuntime } from "./runtime.ts";

/** @param onTrouble the runtime's `trouble` has changed. */
export async function openRuntime(config: NodeConfig, folders: NodeFolders, onTrouble: () => void): Promise<ContainerRuntime> {
  const { nodeId, directory, workerProgram, pythonWorkerProgram, python, containers, warm } = config;
  if (folders.job === null) return new ProcessRuntime({ workerProgram, pythonWorkerProgram, python, directory: folders.workers });
  const { DockerRuntime } = await import("./docker/runtime.ts");
  return DockerRuntime.connect({
    nodeId, directory, workerProgram, pythonWorkerProgram, containers, kinds: warm, onTrouble, sockets: folders.sockets, jobFolder: folders.job, packages: folders.packages,
  });
}
