/** Whether the local cluster runs, and what it is when it does. */
import { BurlaError, type ClusterStatus } from "@burla/protocol";
import { resolveCluster } from "../cluster.ts";
import { Control } from "./control.ts";

export interface RunningCluster {
  readonly control: Control;
  readonly status: ClusterStatus;
}

/**
 * @returns null when it does not run: nothing says where it is, or nobody answers there.
 * @throws BurlaError BURLA_UNAUTHORIZED and others that mean that somebody else answers.
 */
export async function findCluster(name: string | undefined): Promise<RunningCluster | null> {
  try {
    const control = new Control(resolveCluster(name).address());
    return { control, status: await control.status() };
  } catch (error) {
    if (error instanceof BurlaError && error.code === "BURLA_UNREACHABLE") return null;
    throw error;
  }
}
