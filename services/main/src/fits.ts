/** Whether a cluster has what a call asks for, said before anything of its job is kept. */
import { BurlaError, type JobSpec } from "@burla/protocol";
import type { MachineProvider } from "./providers/provider.ts";

export interface Offer {
  /** Images that containers may have. */
  readonly images: readonly string[];
  readonly provider: Pick<MachineProvider, "largestWorker">;
}

/** @throws BurlaError BURLA_NO_FITTING_NODE for an image, processors or memory that no node has. */
export function checkFits({ cpu, ramMiB, image }: Pick<JobSpec, "cpu" | "ramMiB" | "image">, { images, provider }: Offer): void {
  if (image !== null && !images.includes(image)) {
    const there = images.length === 0 ? "runs no containers" : `has ${images.join(", ")}`;
    throw new BurlaError("BURLA_NO_FITTING_NODE", `the image ${image} is none of this cluster, which ${there}`, { cure: "Ask for one of its images, or name this one in the cluster spec." });
  }
  const { largestWorker } = provider;
  if (cpu <= largestWorker.cpu && (ramMiB ?? 0) <= largestWorker.ramMiB) return;
  throw new BurlaError(
    "BURLA_NO_FITTING_NODE",
    `no node has ${cpu} processors${ramMiB === null ? "" : ` and ${ramMiB} MiB`} for one call; the largest has ${largestWorker.cpu} processors and ${largestWorker.ramMiB} MiB`,
  );
}
