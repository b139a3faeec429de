/** What the extension costs a person who does not use it: the time that the editor itself measures and shows. */
import assert from "node:assert/strict";
import manifest from "../../package.json" with { type: "json" };
import { useWorkbench, type Workbench } from "./workbench.ts";

const LIMIT_MS = 200;
/** Something else may have the processor: the fastest start counts. */
const MAX_STARTS = 5;
/** The editor's list of extensions draws only the rows that fit. */
const TALL = { width: 1280, height: 2000 };

const test = useWorkbench();

test(`the extension is active within ${LIMIT_MS} ms`, async (workbench) => {
  await workbench.page.setViewportSize(TALL);
  const timesMs: number[] = [];
  while (timesMs.length < MAX_STARTS && !timesMs.some((timeMs) => timeMs < LIMIT_MS)) {
    if (timesMs.length > 0) await workbench.reload();
    timesMs.push(await activationMs(workbench));
  }
  console.log(`activation: ${timesMs.join(", ")} ms`);
  assert.ok(Math.min(...timesMs) < LIMIT_MS, `${timesMs.join(", ")} ms`);
});

async function activationMs(workbench: Workbench): Promise<number> {
  await workbench.runCommand("Burla: Show Actions");
  await workbench.quickInput.rows.first().waitFor();
  await workbench.quickInput.dismiss();
  await workbench.runCommand("Developer: Show Running Extensions");
  const time = workbench.page.locator(".runtime-extensions-editor .extension", { has: workbench.page.getByText(manifest.displayName, { exact: true }) }).locator(".activation-time");
  const [, timeMs] = /(\d+) ?ms/.exec(await time.innerText()) ?? [];
  assert.ok(timeMs !== undefined, "the editor shows no time");
  return Number(timeMs);
}
