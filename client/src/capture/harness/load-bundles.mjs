/**
 * Loads bundles as a worker does and writes what their functions give. Argument: the folder that `run-cases.ts` wrote.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

process.setSourceMapsEnabled(true);
const directory = process.argv[2];
const results = [];
for (const name of readdirSync(directory)) {
  const folder = join(directory, name);
  let check;
  try {
    check = JSON.parse(readFileSync(join(folder, "check.json"), "utf8"));
  } catch {
    continue;
  }
  const outcomes = [];
  try {
    for (const external of check.externals) {
      const link = join(folder, "node_modules", external.name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(external.directory, link);
    }
    const { default: restore } = await import(pathToFileURL(join(folder, "bundle.mjs")).href);
    const fn = await restore(new Uint8Array(readFileSync(join(folder, "values"))));
    for (const input of check.inputs) {
      try {
        outcomes.push(inspect(await fn(input, { index: 0 }), { depth: 12, sorted: false }));
      } catch (error) {
        outcomes.push(`throws ${error.name}: ${error.message}`);
      }
    }
  } catch (error) {
    outcomes.push(`cannot be loaded: ${error.stack}`);
  }
  results.push({ folder: check.folder, title: check.title, outcomes });
}
writeFileSync(join(directory, "results.json"), JSON.stringify(results));
process.exit(0);
