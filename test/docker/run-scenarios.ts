/**
 * `npm run scenario -- docker [name...]`: the scenarios against whatever engine is there, one JSON line of facts each.
 * Those in which the engine itself stops run against one of their own, where one can be started.
 */
import Docker from "dockerode";
import { PrivateEngine } from "../../scripts/docker/private-engine.mjs";
import { messageOf } from "@burla/protocol";
import { ENGINE_DISK, ENGINE_DISK_MIB } from "./scenarios/engine-disk.ts";
import { ENGINE_INSTALL } from "./scenarios/engine-install.ts";
import { ENGINE } from "./scenarios/engine.ts";
import { IMAGE_FAULTS } from "./scenarios/image-faults.ts";
import { LIFE, OTHER_IMAGE } from "./scenarios/life.ts";
import { MISDEEDS } from "./scenarios/misdeeds.ts";
import { closePackageWorld, openPackageWorld, PACKAGES } from "./scenarios/packages.ts";
import { closePythonWorld, openPythonWorld, PYTHON } from "./scenarios/python.ts";
import { TIMES } from "./scenarios/times.ts";
import { DockerCluster } from "./support/cluster.ts";
import { openEngineCluster } from "./support/engine-file.ts";
import { ensureWorkerImage, tagImage } from "./support/engine.ts";
import { roundMs, type Facts } from "./support/scenario.ts";

const wanted = process.argv.slice(2);
let failures = 0;

const isWanted = ({ name }: { name: string }) => wanted.length === 0 || wanted.some((word) => name.includes(word));

async function report(name: string, run: () => Promise<Facts>): Promise<void> {
  const begin = performance.now();
  const outcome = await run().then((facts) => ({ ok: true, ...facts }), (error: unknown) => ({ ok: false, error: messageOf(error) }));
  if (!outcome.ok) failures++;
  process.stdout.write(`${JSON.stringify({ scenario: name, seconds: roundMs((performance.now() - begin) / 1000), ...outcome })}\n`);
}

async function withCluster(spec: ConstructorParameters<typeof DockerCluster>[0], body: (cluster: DockerCluster) => Promise<void>): Promise<void> {
  const cluster = new DockerCluster(spec);
  process.env["BURLA_HOME"] = cluster.home;
  try {
    await cluster.start();
    await body(cluster);
  } finally {
    await cluster.dispose();
  }
}

/** Scenarios that need more than a cluster. */
async function inWorld<World>(scenarios: readonly { name: string; run: (world: World) => Promise<Facts> }[], open: () => Promise<World>, close: (world: World) => Promise<void>): Promise<void> {
  const chosen = scenarios.filter(isWanted);
  if (chosen.length === 0) return;
  const world = await open();
  try {
    for (const { name, run } of chosen) await report(name, () => run(world));
  } finally {
    await close(world);
  }
}

/** Scenarios on an engine of their own. */
async function onEngine<World>(
  scenarios: readonly { name: string; run: (world: World, engine: PrivateEngine) => Promise<Facts> }[], open: () => Promise<World>, close: (world: World) => Promise<void>, dataMiB?: number,
): Promise<void> {
  if (!scenarios.some(isWanted)) return;
  const engine = new PrivateEngine(dataMiB);
  const usual = process.env["DOCKER_HOST"];
  try {
    process.env["DOCKER_HOST"] = engine.host;
    await engine.start();
    await ensureWorkerImage(new Docker());
    await inWorld(scenarios.map(({ name, run }) => ({ name, run: (world: World) => run(world, engine) })), open, close);
  } finally {
    if (usual === undefined) delete process.env["DOCKER_HOST"];
    else process.env["DOCKER_HOST"] = usual;
    await engine.dispose();
  }
}

const { Version, Os, Arch, KernelVersion } = await new Docker().version();
process.stdout.write(`${JSON.stringify({ engine: Version, platform: `${Os}/${Arch}`, kernel: KernelVersion })}\n`);
await ensureWorkerImage();
await ensureWorkerImage(undefined, "python");
await tagImage(OTHER_IMAGE);
for (const { name, run } of TIMES.filter(isWanted)) await report(name, run);
const onCluster = [...LIFE, ...MISDEEDS].filter(isWanted);
if (onCluster.length > 0) {
  const containers = { kinds: [{}, { image: OTHER_IMAGE, warmPerCpu: 0 }], scratchMiB: 64, maxProcesses: 64 };
  await withCluster({ containers, groups: [{ name: "d", count: 4, cpu: 1, ramMiB: 384 }] }, async (cluster) => {
    for (const { name, run } of onCluster) await report(name, () => run(cluster));
  });
}
await inWorld(PACKAGES, openPackageWorld, closePackageWorld);
await inWorld(PYTHON, openPythonWorld, closePythonWorld);
if (process.platform === "linux" && process.getuid?.() === 0) {
  for (const { name, run } of IMAGE_FAULTS.filter(isWanted)) await report(name, run);
  await onEngine(ENGINE, openEngineCluster, (cluster) => cluster.dispose());
  await onEngine(ENGINE_INSTALL, openPackageWorld, closePackageWorld);
  await onEngine(ENGINE_DISK, openEngineCluster, (cluster) => cluster.dispose(), ENGINE_DISK_MIB);
}
process.exitCode = failures > 0 ? 1 : 0;
