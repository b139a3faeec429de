/** Cells as people write them in TypeScript: each runs here, then on a cluster, and leaves the same. What was mapped, and why not, is part of it. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { CELL_VIEW_MIME, cellViewSchema, type CellView, type KernelEvent, type LiveKernel } from "@burla/kernel-bridge";
import { outcomeOf, run, valueOf } from "../contract/live-kernel.ts";
import { useCluster } from "../support/cluster.ts";
import { TYPESCRIPT_CORPUS } from "./corpus/typescript.ts";
import type { CorpusCell } from "./corpus/python.ts";
import { NotebookFolder } from "./notebook-folder.ts";
import { errorText, plain, runArmed, startSession } from "./session.ts";

const shop = createServer(({ url = "" }, response) => {
  const item = Number(url.slice(1));
  if (Number.isNaN(item)) response.statusCode = 404;
  response.end(`<title>Item ${item}</title><b>${item * 3} EUR</b>`);
});
const folder = new NotebookFolder();
let session: LiveKernel;
// Before the cluster ends, which waits for all who use it.
after(async () => {
  await (session as LiveKernel | undefined)?.dispose();
  folder.remove();
  shop.close();
});
const cluster = useCluster();
before(async () => {
  for (const name of ["p-map"]) symlinkSync(fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url)), join(folder.path, "node_modules", name));
  await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
  session = await startSession(folder.path);
  assert.equal(errorText(await run(session, `const shop = "http://127.0.0.1:${(shop.address() as AddressInfo).port}"`)), "");
});

test("the cluster is that of this file", () => assert.ok(cluster.isAnnounced));

function lastView(events: readonly KernelEvent[]): CellView | undefined {
  const shown = events.findLast((event) => (event.type === "display" || event.type === "displayUpdate") && CELL_VIEW_MIME in event.data);
  return shown === undefined || !("data" in shown) ? undefined : v.parse(cellViewSchema, shown.data[CELL_VIEW_MIME]);
}

/** What a user has from it. */
async function outcome({ look }: CorpusCell, events: readonly KernelEvent[]): Promise<{ readonly outcome: string; readonly [part: string]: unknown }> {
  const error = events.find((event) => event.type === "error");
  const printed = events.flatMap((event) => (event.type === "stream" && event.name === "stdout" ? [event.text] : [])).join("");
  const names = await run(session, look);
  const value = valueOf(events);
  return {
    outcome: outcomeOf(events), printed, value: value === undefined ? undefined : plain(value),
    error: error === undefined ? undefined : [error.name, error.message],
    place: errorText(events).match(/cell \d+(:\d+:\d+)/)?.[1],
    names: outcomeOf(names) === "ok" ? plain(valueOf(names)) : errorText(names).replaceAll(/cell \d+/g, "cell"),
  };
}

for (const one of TYPESCRIPT_CORPUS) {
  test(`as here, so on the cluster: ${one.name}`, async () => {
    await prepare(one);
    const here = await outcome(one, await run(session, one.cell));
    await prepare(one);
    const events = await runArmed(session, one.cell);
    assert.deepEqual(await outcome(one, events), here);
    const view = lastView(events);
    assert.ok(view !== undefined, "the cell has shown no run");
    assert.deepEqual(mappedLines(view), one.mapped, view.note);
    assert.equal(view.phase, view.failed === 0 ? "done" : "failed");
    if (one.why !== undefined) assert.match(view.note, one.why);
  });
}

async function prepare({ setup }: CorpusCell): Promise<void> {
  assert.equal(errorText(await run(session, setup ?? "")), "");
}

/** A cell of one statement has no list of them. */
function mappedLines({ how, steps }: CellView): number[] {
  if (steps.length === 0) return how === "map" ? [1] : [];
  return steps.filter(({ where }) => where === "map").map(({ line }) => line);
}
