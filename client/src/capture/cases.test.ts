import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, test } from "node:test";
import { build } from "esbuild";
import type { CaseReport } from "./harness/run-cases.ts";

/**
 * Each folder in `cases/` holds a program (`entry.ts` is run by tsx, `entry.mjs` and `entry.cjs` by Node alone) that calls
 * `check(title, fn, ...inputs)`. The function is captured there and run here, then loaded from its bundle in another
 * process and run again: both must give the same. What is refused must give the text in the folder's `refused.txt`.
 * NODE_BINARY names another Node to do it with; UPDATE_REFUSALS=1 writes the refusals down.
 */
const run = promisify(execFile);
const node = process.env["NODE_BINARY"] ?? process.execPath;
const here = fileURLToPath(new URL(".", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "burla-cases-"));
const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };

const folders = readdirSync(join(here, "cases"));
const scriptsOf = (name: string): string[] =>
  folders.map((folder) => join(here, "cases", folder, name)).filter((script) => existsSync(script));

interface Outcome {
  report: CaseReport;
  remote: string[] | undefined;
}

async function runAll(flavour: string, args: string[], scripts: string[]): Promise<Outcome[]> {
  const directory = join(work, flavour);
  mkdirSync(directory);
  await run(node, [...args, directory, ...scripts], { cwd: here, env });
  await run(node, [join(here, "harness/load-bundles.mjs"), directory], { cwd: tmpdir(), env });
  const reports = JSON.parse(readFileSync(join(directory, "reports.json"), "utf8")) as CaseReport[];
  const results = JSON.parse(readFileSync(join(directory, "results.json"), "utf8")) as { folder: string; title: string; outcomes: string[] }[];
  return reports.map((report) => ({
    report,
    remote: results.find(({ folder, title }) => folder === report.folder && title === report.title)?.outcomes,
  }));
}

/** The harness as one file that Node runs without a loader. */
async function plainHarness(): Promise<string> {
  const outfile = join(here, "../../../node_modules/.cache/burla-cases", `${process.pid}.mjs`);
  await build({
    entryPoints: [join(here, "harness/run-cases.ts")],
    bundle: true, platform: "node", format: "esm", outfile, external: ["esbuild"], logLevel: "silent",
    banner: { js: 'import { createRequire as nodeRequire } from "node:module"; const require = nodeRequire(import.meta.url);' },
  });
  return outfile;
}

const plain = await plainHarness();
const typescript = [...scriptsOf("entry.ts"), ...scriptsOf("entry.cts")];
const javascript = [...scriptsOf("entry.mjs"), ...scriptsOf("entry.cjs")];
const outcomes = (
  await Promise.all([
    runAll("typescript", ["--import", "tsx", join(here, "harness/run-cases.ts")], typescript),
    runAll("javascript", [plain], javascript),
  ])
).flat();
rmSync(plain);
rmSync(work, { recursive: true });

for (const folder of folders) {
  const own = outcomes.filter(({ report }) => report.folder === folder);
  describe(`capture case ${folder}`, () => {
    test("has checks", () => assert.ok(own.length > 0));
    for (const { report, remote } of own) {
      if (report.local !== undefined) test(report.title, () => assert.deepEqual(remote, report.local));
    }
    test("refuses what it must, with the words in refused.txt", () => {
      const refused = own.flatMap(({ report: { title, refusal } }) => (refusal === undefined ? [] : [`${title}\n    ${refusal.replaceAll(here, "")}\n`])).join("");
      const golden = join(here, "cases", folder, "refused.txt");
      if (process.env["UPDATE_REFUSALS"] !== undefined && refused !== "") writeFileSync(golden, refused);
      assert.equal(refused, existsSync(golden) ? readFileSync(golden, "utf8") : "");
    });
  });
}
