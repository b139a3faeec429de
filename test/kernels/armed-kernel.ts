/** A Python kernel and a local cluster for a test file, and what a user sees of cells that run there. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as v from "valibot";
import { CELL_VIEW_MIME, cellViewSchema, type ArmedRun, type CellView, type KernelEvent, type LiveKernel } from "@burla/kernel-bridge";
import { interpreter, KernelHost, startKernel } from "@burla/kernel-bridge/jupyter";
import { run } from "../contract/live-kernel.ts";
import { useCluster, type TestCluster } from "../support/cluster.ts";
import { PYTHON } from "../../scripts/jupyter/install.ts";

export interface ArmedKernel {
  readonly cluster: TestCluster;
  /** Runs a cell in the kernel itself. */
  here(code: string): Promise<KernelEvent[]>;
  /** Runs a cell that is armed. */
  armed(code: string, order?: Partial<ArmedRun>): Promise<KernelEvent[]>;
  /** Of the kernel: for what needs more than all events of a cell. */
  readonly live: () => LiveKernel;
}

export function useArmedKernel(): ArmedKernel {
  const host = new KernelHost();
  let kernel: LiveKernel;
  // Before the cluster ends, which waits for all who use it.
  after(async () => {
    await kernel.dispose();
    await host.dispose();
  });
  const cluster = useCluster();
  before(async () => (kernel = await startKernel(host.endpoint, interpreter(PYTHON))));
  test("the cluster is that of this file", () => assert.ok(cluster.isAnnounced));
  return {
    cluster,
    here: (code) => run(kernel, code),
    armed: async (code, order = {}) => {
      const cellId = order.cellId ?? "the cell";
      await kernel.arm({ cellId, cluster: null, clusterName: "local", onlyInputs: null, attachTo: null, ...order });
      return run(kernel, code, { cellId });
    },
    live: () => kernel,
  };
}

/** All that the cell has shown of its run, as documents that the schema knows. */
export function viewsOf(events: readonly KernelEvent[]): CellView[] {
  return events.flatMap((event) => ((event.type === "display" || event.type === "displayUpdate") && CELL_VIEW_MIME in event.data ? [v.parse(cellViewSchema, event.data[CELL_VIEW_MIME])] : []));
}

/** What it shows in the end. */
export function lastView(events: readonly KernelEvent[]): CellView {
  const view = viewsOf(events).at(-1);
  assert.ok(view !== undefined, `the cell has shown no run: ${JSON.stringify(events)}`);
  return view;
}

/** The kernel's own error, without colours; empty when there was none. */
export function errorText(events: readonly KernelEvent[]): string {
  const errors = events.flatMap((event) => (event.type === "error" ? [event.traceback.join("\n")] : []));
  assert.ok(errors.length <= 1, `the error is told ${errors.length} times`);
  return withoutColours(errors[0] ?? "");
}

/** Outputs that are no card of a run, as texts without colours. */
export function shownTexts(events: readonly KernelEvent[]): string[] {
  return events.flatMap((event) => (event.type === "display" && !(CELL_VIEW_MIME in event.data) ? [withoutColours(String(event.data["text/plain"]))] : []));
}

function withoutColours(text: string): string {
  return text.replaceAll(/\u001b\[[0-9;]*m/g, "");
}
