/** Many runs, one after the other, on clusters that live for some of them. */
import { judge, type Wrong } from "./oracle.ts";
import { makePlan, type FaultKind, type Plan } from "./plan.ts";
import { commandOf, describeWorld, lineOf, Tally, textOf, writeDown } from "./report.ts";
import { play } from "./run.ts";
import { World } from "./world.ts";

/** What runs leave in a cluster must do no harm to the next ones; a seed alone tells most of a failure all the same. */
const RUNS_PER_CLUSTER = 8;

export interface CampaignOptions {
  readonly seed: number;
  readonly runs: number;
  readonly isShort: boolean;
  /** Faults of these kinds are left out of the plans. */
  readonly without: readonly FaultKind[];
  /** Asked before each run: whether none is to begin any more. */
  readonly isOver: () => boolean;
  readonly say: (line: string) => void;
}

/** @returns the counts; what was bad has been told and written down. */
export async function campaign({ seed, runs, isShort, without, isOver, say }: CampaignOptions): Promise<Tally> {
  const tally = new Tally();
  let world: World | undefined;
  try {
    for (let at = 0; at < runs && !isOver(); at++) {
      world ??= new World();
      const isLast = (at + 1) % RUNS_PER_CLUSTER === 0 || at + 1 === runs;
      const wasWell = await oneRun(makePlan(seed + at, { isShort, without }), world, { tally, command: commandOf(seed + at, { isShort, without }), isLast, say });
      if (wasWell && !isLast) continue;
      world.discard();
      world = undefined;
    }
    if (world !== undefined) tally.addLeftovers(await world.end());
  } finally {
    world?.discard();
  }
  return tally;
}

interface RunOptions extends Pick<CampaignOptions, "say"> {
  readonly tally: Tally;
  /** Repeats the run. */
  readonly command: string;
  readonly isLast: boolean;
}

/** @returns whether all was well, so that the cluster may go on. */
async function oneRun(plan: Plan, world: World, { tally, command, isLast, say }: RunOptions): Promise<boolean> {
  const startedMs = performance.now();
  const played = await play(plan, world, describeWorld);
  const wrongs = judge(plan, played.history);
  if (wrongs.length === 0 && isLast) wrongs.push(...(await world.end()).map((detail): Wrong => ({ kind: "left behind", job: null, count: 1, detail })));
  const report = { plan, history: played.history, wrongs, tookMs: performance.now() - startedMs };
  tally.add(report);
  say(lineOf(report));
  if (wrongs.length === 0) return true;
  for (const moment of played.story) say(`  ${textOf(moment)}`);
  say(`  all of it is in ${writeDown(report, played)}\n  ${command}`);
  return false;
}
