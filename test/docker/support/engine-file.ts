/** For a test file that stops, kills and starves its engine: one of its own, for as long as the file runs. */
import Docker from "dockerode";
import { after, before } from "node:test";
import { PrivateEngine } from "../../../scripts/docker/private-engine.mjs";
import { DockerCluster } from "./cluster.ts";
import { ensureWorkerImage } from "./engine.ts";

/** An engine, named by DOCKER_HOST, and what is opened upon it when it has the image of workers. */
export function useEngine<World>(open: (engine: PrivateEngine) => Promise<World>, close: (world: World) => Promise<void>, dataMiB?: number): { readonly engine: PrivateEngine; readonly world: World } {
  const engine = new PrivateEngine(dataMiB);
  let world: World | undefined;
  before(async () => {
    process.env["DOCKER_HOST"] = engine.host;
    await engine.start();
    await ensureWorkerImage(new Docker());
    world = await open(engine);
  });
  after(async () => {
    if (world !== undefined) await close(world);
    await engine.dispose();
  });
  return {
    engine,
    get world() {
      return world as World;
    },
  };
}

/** Two nodes on the engine of DOCKER_HOST. */
export async function openEngineCluster(): Promise<DockerCluster> {
  const cluster = new DockerCluster({ groups: [{ name: "e", count: 2, cpu: 1, ramMiB: 256 }] });
  process.env["BURLA_HOME"] = cluster.home;
  await cluster.start();
  return cluster;
}
