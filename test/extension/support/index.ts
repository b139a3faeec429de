/** What the extension host is told to run: the tests that run.ts names, each outcome written down as it comes. */
import { appendFileSync } from "node:fs";
import type { Outcome } from "../../../scripts/vscode/counts.ts";

const TEST_TIMEOUT_MS = 60_000;

export async function run(): Promise<void> {
  const { default: Mocha } = await import("mocha");
  const mocha = new Mocha({ ui: "tdd", timeout: TEST_TIMEOUT_MS, forbidOnly: true, color: false });
  for (const file of JSON.parse(process.env["BURLA_TEST_FILES"] ?? "[]") as string[]) mocha.addFile(file);
  const write = (outcome: Outcome) => appendFileSync(process.env["BURLA_TEST_RESULTS"] ?? "", `${outcome}\n`);
  const failures = await new Promise<number>((resolve) => {
    mocha
      .run(resolve)
      .on("pass", () => write("passed"))
      .on("fail", (failed, error: Error) => {
        write("failed");
        // An editor that ends before the last test takes the summary with it.
        console.error(`${failed.fullTitle()}: ${error.stack ?? error.message}`);
      })
      .on("pending", () => write("pending"))
      .on("end", () => write("end"));
  });
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
