/** The Docker runtime over the folders of a workbench. */
import { DockerRuntime } from "../../../services/node/src/containers/docker/runtime.ts";
import type { OpenRuntime } from "../../contract/workbench.ts";

export const SCRATCH_MIB = 16;
export const MAX_PROCESSES = 64;

/** Opens it for containers of an image. */
export function openDocker(image: string): OpenRuntime {
  return async ({ job, ...folders }) => ({
    runtime: await DockerRuntime.connect({
      ...folders, nodeId: "n", jobFolder: job, kinds: [{ image }], onTrouble: () => undefined,
      containers: { network: "none", scratchMiB: SCRATCH_MIB, maxProcesses: MAX_PROCESSES },
    }),
    image,
  });
}
