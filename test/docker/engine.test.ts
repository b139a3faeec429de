/** An engine that is stopped, killed and emptied: one of its own for this file. */
import Docker from "dockerode";
import { after, before, test } from "node:test";
import { PrivateEngine } from "../../scripts/docker/private-engine.mjs";
import { ENGINE } from "./scenarios/engine.ts";
import { DockerCluster } from "./support/cluster.ts";
import { ensureWorkerImage } from "./support/engine.ts";

const engine = new PrivateEngine();
let cluster: DockerCluster;
before(async () => {
  process.env["DOCKER_HOST"] = engine.host;
  await engine.start();
  await ensureWorkerImage(new Docker());
  cluster = new DockerCluster({ groups: [{ name: "e", count: 2, cpu: 1, ramMiB: 256 }] });
  process.env["BURLA_HOME"] = cluster.home;
  await cluster.start();
});
after(async () => {
  await cluster.dispose();
  await engine.dispose();
});

for (const { name, run } of ENGINE) test(name, async () => void (await run(cluster, engine)));
