/** Cells of chance leave on a cluster what they leave here. `BURLA_FUZZ_SEED` repeats a run, `BURLA_FUZZ_RUNS` makes it longer. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { CELL_VIEW_MIME, type CellView, type KernelEvent, type LiveKernel } from "@burla/kernel-bridge";
import { outcomeOf, run, valueOf } from "../contract/live-kernel.ts";
import { useCluster } from "../support/cluster.ts";
import { fuzzPlan } from "../wire/random.ts";
import { FUZZ_LOOK, FUZZ_SETUP, fuzzedCell } from "./corpus/typescript-cells.ts";
import { NotebookFolder } from "./notebook-folder.ts";
import { errorText, plain, runArmed, startSession } from "./session.ts";

const folder = new NotebookFolder();
let session: LiveKernel;
// Before the cluster ends, which waits for all who use it.
after(async () => {
  await (session as LiveKernel | undefined)?.dispose();
  folder.remove();
});
const cluster = useCluster();
before(async () => (session = await startSession(folder.path)));

interface Seen {
  readonly error: unknown;
  readonly value: unknown;
  readonly names: unknown;
  readonly how: CellView["how"] | null;
}

async function seenOf(execute: () => Promise<KernelEvent[]>): Promise<Seen> {
  assert.equal(errorText(await run(session, FUZZ_SETUP)), "");
  const events = await execute();
  const error = events.find((event) => event.type === "error");
  const names = await run(session, FUZZ_LOOK);
  assert.equal(outcomeOf(names), "ok", errorText(names));
  const value = valueOf(events);
  const view = events.flatMap((event) => (event.type === "display" || event.type === "displayUpdate" ? [event.data[CELL_VIEW_MIME] as CellView] : [])).at(-1);
  return { error: error === undefined ? null : [error.name, error.message], value: value === undefined ? null : plain(value), names: valueOf(names), how: view?.how ?? null };
}

test("cells of chance leave on a cluster what they leave here", { timeout: 240_000 }, async (t) => {
  assert.ok(cluster.isAnnounced);
  const { seed, runs } = fuzzPlan(20);
  t.diagnostic(`seed ${seed}; repeat it with BURLA_FUZZ_SEED=${seed} BURLA_FUZZ_RUNS=${runs}`);
  const kinds = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fuzzedCell, async (cell) => {
      const here = await seenOf(() => run(session, cell));
      const there = await seenOf(() => runArmed(session, cell));
      kinds.set(String(there.how), (kinds.get(String(there.how)) ?? 0) + 1);
      // Of a cell that is one call and fails nothing is bound.
      const isLost = there.how === "call" && here.error !== null;
      const told = (seen: Seen) => ({ error: seen.error, value: seen.value, ...(isLost ? {} : { names: seen.names }) });
      assert.deepEqual(told(there), told(here), cell);
    }),
    { seed, numRuns: runs, endOnFailure: process.env["BURLA_FUZZ_SHRINK"] === undefined },
  );
  t.diagnostic(`cells: ${JSON.stringify(Object.fromEntries(kinds))}`);
  assert.ok((kinds.get("map") ?? 0) > 0, "no cell has had a map");
});
