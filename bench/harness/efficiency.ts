/** How near a system comes to using every processor for the user's code alone. */
import { availableParallelism } from "node:os";
import type { System } from "../setup/peers.ts";
import { cpuMsPerStep } from "./calibrate.ts";
import { type Job, measure, type Measurement } from "./measure.ts";
import type { Program } from "./runner-process.ts";

/** The bare loop of each language. */
export type References = Readonly<Record<System["language"], Program>>;

/**
 * Measures a scenario of pure computation. The ideal is what bare processes, one on every processor, need for the same
 * steps; it is measured right before and right after, since the speed of a shared machine drifts.
 */
export async function measureEfficiency(job: Job, references: References): Promise<Measurement> {
  const reference = references[job.system.language];
  const steps = Math.round(job.params.stepsPerMs! * 10);
  const before = await cpuMsPerStep(reference, steps);
  const measured = await measure(job);
  const after = await cpuMsPerStep(reference, steps);
  const value = (metric: string) => measured.rows.find((row) => row.metric === metric)?.value;
  const [wall, nominal] = [value("wall"), value("nominal_cpu")];
  if (wall === undefined || nominal === undefined) return measured;
  const actualPerNominal = ((before + after) / 2) * job.params.stepsPerMs!;
  const ideal = (nominal * actualPerNominal) / availableParallelism();
  measured.add("ideal_wall", ideal, "s");
  measured.add("efficiency", (100 * ideal) / wall, "%");
  return measured;
}
