/** The scenarios on a cluster of four nodes, whose containers belong to the engine of this machine. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LIFE, OTHER_IMAGE } from "./scenarios/life.ts";
import { MISDEEDS } from "./scenarios/misdeeds.ts";
import { DockerCluster } from "./support/cluster.ts";
import { ensureWorkerImage, tagImage } from "./support/engine.ts";

let cluster: DockerCluster;
before(async () => {
  await ensureWorkerImage();
  await tagImage(OTHER_IMAGE);
  cluster = new DockerCluster({
    containers: { kinds: [{}, { image: OTHER_IMAGE, warmPerCpu: 0 }], scratchMiB: 64, maxProcesses: 64 },
    groups: [{ name: "d", count: 4, cpu: 1, ramMiB: 384 }],
  });
  process.env["BURLA_HOME"] = cluster.home;
  await cluster.start();
});
after(async () => {
  await cluster.shutdown();
  const left = await cluster.containers();
  await cluster.dispose();
  assert.deepEqual(left, [], "containers are left");
});

for (const { name, run } of [...LIFE, ...MISDEEDS]) {
  test(name, async () => {
    const facts = await run(cluster);
    assert.ok(Object.values(facts).every((fact) => typeof fact !== "number" || Number.isFinite(fact)), JSON.stringify(facts));
  });
}
