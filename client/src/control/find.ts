/** Whether a cluster runs, and what it is when it does. */
import { BurlaError } from "@burla/protocol";
import { resolveCluster } from "../cluster.ts";
import type { ClusterAddress } from "../types.ts";
import { controlOf, type Control } from "./requests.ts";
import type { ClusterStatus, ControlOptions } from "./types.ts";

export interface RunningCluster {
  readonly control: Control;
  readonly status: ClusterStatus;
}

/**
 * @returns null when it does not run: nothing says where it is, or nobody answers there.
 * @throws BurlaError BURLA_UNAUTHORIZED and others that mean that somebody else answers.
 */
export async function findCluster(cluster: ControlOptions["cluster"]): Promise<RunningCluster | null> {
  try {
    const control = controlOf(cluster);
    return { control, status: await control.status() };
  } catch (error) {
    if (error instanceof BurlaError && error.code === "BURLA_UNREACHABLE") return null;
    throw error;
  }
}

/** Where a cluster of a name is, for programs that are told by address. @throws BurlaError BURLA_UNREACHABLE when nothing says so. */
export function clusterAddress(name: string): ClusterAddress {
  const { url, token, certificate } = resolveCluster(name).address();
  return { url, token, ...(certificate !== undefined && { certificate }) };
}
