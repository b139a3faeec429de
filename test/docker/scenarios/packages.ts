/** Packages that stay outside of the bundle: installed once per node and content, for containers that lack them. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Esbuild from "esbuild";
import { BurlaError, remoteParallelMap } from "burla";
import { drain, numbers } from "../../support/inputs.ts";
import { Project } from "../../support/project.ts";
import { Registry } from "../../support/registry.ts";
import { until } from "../support/until.ts";
import { DockerCluster } from "../support/cluster.ts";
import { roundMs, type Facts } from "../support/scenario.ts";

/** A package with an addon that is built at its installation, as far as this test is concerned: it notes where and as whom. */
const ADDON = {
  manifest: {
    name: "burla-test-addon", version: "1.2.3", main: "index.js", gypfile: true, scripts: { install: "node install.js" }, dependencies: { "burla-test-helper": "^2.0.0" },
  },
  files: {
    "index.js": `const { readFileSync } = require("node:fs"); module.exports = (x) => ({ x, helper: require("burla-test-helper"), built: JSON.parse(readFileSync(__dirname + "/built.json", "utf8")) });`,
    "install.js": `require("node:fs").writeFileSync("built.json", JSON.stringify({ uid: process.getuid(), host: require("node:os").hostname() }));`,
  },
};
const HELPER = { manifest: { name: "burla-test-helper", version: "2.1.0" }, files: { "index.js": "module.exports = 'helped';" } };
const BAD = { manifest: { name: "burla-test-bad", version: "1.0.0", gypfile: true, scripts: { install: "node install.js" } }, files: { "index.js": "", "install.js": `console.log("no compiler is here"); process.exit(7);` } };

interface Answer {
  readonly x: number;
  readonly helper: string;
  readonly built: { uid: number; host: string };
}

export interface PackageWorld {
  readonly cluster: DockerCluster;
  readonly registry: Registry;
  readonly project: Project;
}

/** A cluster whose nodes ask a registry of the test. */
export async function openPackageWorld(): Promise<PackageWorld> {
  const [registry, project] = [new Registry(), new Project()];
  await registry.listen();
  for (const { manifest, files } of [ADDON, HELPER, BAD]) await registry.add(manifest, files);
  project.install(ADDON.manifest, { ...ADDON.files, "built.json": `{"uid":-1,"host":"the user's own machine"}` });
  project.install(HELPER.manifest, HELPER.files);
  project.install(BAD.manifest, BAD.files);
  project.install({ name: "burla-test-absent", version: "9.9.9" }, { "index.js": "", "binding.gyp": "{}" });
  project.write({
    "score.mjs": `import addon from "burla-test-addon";\nexport default function score(x) { return addon(x); }\n`,
    "twice.mjs": `import addon from "burla-test-addon";\nexport default function twice(x) { return addon(2 * x); }\n`,
    "bad.mjs": `import "burla-test-bad";\nexport default function bad(x) { return x; }\n`,
    "absent.mjs": `import "burla-test-absent";\nexport default function absent(x) { return x; }\n`,
  });
  const cluster = new DockerCluster({ groups: [{ name: "p", count: 1, cpu: 2, ramMiB: 512 }] });
  Object.assign(process.env, { BURLA_HOME: cluster.home, npm_config_registry: registry.url, npm_config_cache: join(project.directory, ".npm"), npm_config_fetch_retries: "0" });
  await cluster.start();
  return { cluster, registry, project };
}

export async function closePackageWorld({ cluster, registry, project }: PackageWorld): Promise<void> {
  for (const name of ["npm_config_registry", "npm_config_cache", "npm_config_fetch_retries"]) Reflect.deleteProperty(process.env, name);
  // This process bundled functions with imports: esbuild's own process has the cluster's folder in its environment.
  await (createRequire(import.meta.url)("esbuild") as typeof Esbuild).stop();
  await cluster.dispose();
  registry.close();
  project.remove();
}

export interface PackageScenario {
  readonly name: string;
  readonly run: (world: PackageWorld) => Promise<Facts>;
}

/** Folders of packages on the only node; those that are not complete too. */
export function setsOf({ cluster }: PackageWorld): string[] {
  return readdirSync(join(cluster.directory, "nodes", "p-1", "packages"));
}

async function failureOf(world: PackageWorld, file: string): Promise<BurlaError> {
  const fn = await world.project.load<(x: number) => number>(file);
  const { error } = await drain(remoteParallelMap(fn, numbers(4)));
  assert.ok(error instanceof BurlaError, String(error));
  return error;
}

const installed: PackageScenario = {
  name: "a package with a native addon is installed on the node, by scripts that run in a container",
  run: async (world) => {
    const { project, registry, cluster } = world;
    const score = await project.load<(x: number) => Answer>("score.mjs");
    const reasons = new Set<string>();
    const held = registry.hold();
    const stream = remoteParallelMap(score, numbers(4), { order: "input", progress: ({ phase, reason }) => void reasons.add(`${phase}: ${reason}`) });
    const all = stream.toArray();
    await held;
    await cluster.untilNode("the node says what it does", ({ reason }) => reason.startsWith("installs burla-test-addon@1.2.3"));
    await until("the client hears of it", () => [...reasons].some((reason) => reason.startsWith("waiting: p-1 installs burla-test-addon@1.2.3")));
    registry.release();
    const begin = performance.now();
    const results = await all;
    assert.deepEqual(results.map(({ x, helper }) => [x, helper]), numbers(4).map((x) => [x, "helped"]));
    const [{ built } = { built: { uid: -1, host: "" } }] = results;
    assert.ok(built.uid > 0, "not built as root, and not the user's own copy");
    assert.notEqual(built.host, (await import("node:os")).hostname(), "built in a container");
    return { installMs: roundMs(performance.now() - begin), builtAs: built.uid, sets: setsOf(world).length, reasons: [...reasons].filter((reason) => reason.includes("installs")) };
  },
};

const shared: PackageScenario = {
  name: "another job with the same packages takes those that are there",
  run: async (world) => {
    await world.cluster.ready();
    const before = world.registry.requests.length;
    const twice = await world.project.load<(x: number) => Answer>("twice.mjs");
    const begin = performance.now();
    const results = await remoteParallelMap(twice, numbers(4), { order: "input" }).toArray();
    assert.deepEqual(results.map(({ x }) => x), [0, 2, 4, 6]);
    assert.equal(world.registry.requests.length, before, "nothing was fetched");
    return { jobMs: roundMs(performance.now() - begin), sets: setsOf(world).length };
  },
};

const failing: PackageScenario = {
  name: "what cannot be installed fails the job with what npm said",
  run: async (world) => {
    const before = setsOf(world);
    const absent = await failureOf(world, "absent.mjs");
    assert.equal(absent.code, "BURLA_PACKAGES");
    assert.match(absent.message, /npm could not install burla-test-absent@9\.9\.9:.*404/s);
    const bad = await failureOf(world, "bad.mjs");
    assert.match(bad.message, /npm could not install burla-test-bad@1\.0\.0:.*no compiler is here/s);
    await world.cluster.ready();
    assert.deepEqual(setsOf(world), before, "nothing is left of it");
    return { absent: absent.message.slice(0, 200), bad: bad.message.slice(0, 200) };
  },
};

const cancelled: PackageScenario = {
  name: "a job that is cancelled while its packages are installed ends the installation",
  run: async (world) => {
    const { project, registry, cluster } = world;
    const before = setsOf(world);
    const held = registry.hold();
    const stream = remoteParallelMap(await project.load<(x: number) => number>("bad.mjs"), numbers(4));
    const ended = drain(stream);
    await held;
    const begin = performance.now();
    await stream.cancel();
    const { error } = await ended;
    assert.ok(error instanceof BurlaError && error.code === "BURLA_CANCELLED");
    await cluster.ready();
    await until("nothing is left of it", () => setsOf(world).length === before.length);
    registry.release();
    return { cancelToReadyMs: roundMs(performance.now() - begin) };
  },
};

const killed: PackageScenario = {
  name: "a node service and then main are killed during an installation: nothing is lost, nothing half is used",
  run: async (world) => {
    const { project, registry, cluster } = world;
    await registry.add({ ...ADDON.manifest, version: "1.2.4" }, ADDON.files);
    project.install({ ...ADDON.manifest, version: "1.2.4" }, { ...ADDON.files, "built.json": "{}" });
    project.write({ "again.mjs": `import addon from "burla-test-addon";\nexport default function again(x) { return addon(3 * x); }\n` });
    const again = await project.load<(x: number) => Answer>("again.mjs");
    let held = registry.hold();
    const all = remoteParallelMap(again, numbers(4), { order: "input" }).toArray();
    await held;
    const node = await cluster.untilNode("the node installs", ({ reason }) => reason.startsWith("installs"));
    held = registry.hold();
    process.kill(node.pid, "SIGKILL");
    await held;
    process.kill(cluster.main.pid, "SIGKILL");
    await cluster.untilNode("the node installs again", ({ pid, reason }) => pid !== node.pid && reason.startsWith("installs")).catch(() => undefined);
    registry.release();
    assert.deepEqual((await all).map(({ x }) => x), [0, 3, 6, 9]);
    await cluster.ready();
    assert.deepEqual(setsOf(world).filter((name) => name.startsWith(".")), []);
    return { sets: setsOf(world).length };
  },
};

export const PACKAGES: readonly PackageScenario[] = [installed, shared, failing, cancelled, killed];
