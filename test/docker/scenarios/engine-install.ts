/** The engine dies while packages are installed. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { remoteParallelMap } from "burla";
import type { PrivateEngine } from "../../../scripts/docker/private-engine.mjs";
import { LABELS } from "../../../services/node/src/containers/docker/names.ts";
import { numbers } from "../../support/inputs.ts";
import { until } from "../support/until.ts";
import { roundMs, type Facts } from "../support/scenario.ts";
import { setsOf, type PackageWorld } from "./packages.ts";

/** Its install script notes each run and waits for a file, so that it is known to be at work. */
const SLOW = {
  manifest: { name: "burla-test-slow", version: "1.0.0", main: "index.js", gypfile: true, scripts: { install: "node install.js" } },
  files: {
    "index.js": `module.exports = require("node:fs").readFileSync(__dirname + "/runs", "utf8");`,
    "install.js": `const { appendFileSync, existsSync } = require("node:fs"); appendFileSync("runs", "x"); const wait = setInterval(() => existsSync("go") && clearInterval(wait), 20);`,
  },
};

export interface EngineInstallScenario {
  readonly name: string;
  readonly run: (world: PackageWorld, engine: PrivateEngine) => Promise<Facts>;
}

const killed: EngineInstallScenario = {
  name: "the engine is killed while an install script runs: the script runs again, and the job has its results",
  run: async (world, engine) => {
    const { project, registry, cluster } = world;
    await registry.add(SLOW.manifest, SLOW.files);
    project.install(SLOW.manifest, { ...SLOW.files, runs: "" });
    project.write({ "slow.mjs": `import runs from "burla-test-slow";\nexport default function slow(x) { return [x, runs]; }\n` });
    const all = remoteParallelMap(await project.load<(x: number) => [number, string]>("slow.mjs"), numbers(4), { order: "input" }).toArray();
    const folder = await until("the script runs", () => folderWithRuns(world, 1));
    const begin = performance.now();
    await engine.stop("SIGKILL");
    await cluster.untilNode("the node says that it waits for the engine", ({ reason }) => /Docker Engine/.test(reason));
    await engine.start();
    await until("the script runs again", () => folderWithRuns(world, 2));
    const againMs = performance.now() - begin;
    writeFileSync(join(folder, "go"), "");
    assert.deepEqual(await all, numbers(4).map((x) => [x, "xx"]));
    await cluster.ready();
    assert.deepEqual(setsOf(world).filter((name) => name.startsWith(".")), []);
    assert.deepEqual(await cluster.docker.listContainers({ all: true, filters: { label: [`${LABELS.purpose}=install`] } }), [], "no container of it is left");
    return { runs: 2, killedToRunningAgainMs: roundMs(againMs), sets: setsOf(world).length };
  },
};

/** The folder of the package that is being installed, once its script has begun so often. */
function folderWithRuns(world: PackageWorld, count: number): string | undefined {
  const folders = setsOf(world).map((set) => join(world.cluster.directory, "nodes", "p-1", "packages", set, "node_modules", SLOW.manifest.name));
  return folders.find((folder) => existsSync(join(folder, "runs")) && readFileSync(join(folder, "runs"), "utf8").length >= count);
}

export const ENGINE_INSTALL: readonly EngineInstallScenario[] = [killed];
