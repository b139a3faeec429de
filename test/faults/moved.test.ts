/** Main comes back where it was not before: what runs on its cluster finds it, and its tokens go to nobody else. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { ensureInterpreter } from "../../scripts/python/interpreters.ts";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";
import { Stranger } from "../support/stranger.ts";
import { until } from "../support/until.ts";

const cluster = useCluster({ BURLA_PYTHON: ensureInterpreter().command });

/** Kills main, which comes back elsewhere since its port is taken. */
async function moveMain(): Promise<Stranger> {
  const { port } = new URL(cluster.address.url);
  const stranger = await Stranger.takesPlaceOf(cluster);
  await until("main is back at another port", () => cluster.isAnnounced && new URL(cluster.address.url).port !== port);
  return stranger;
}

test("functions that start jobs find a main that has moved, and nobody else hears their token", async () => {
  const go = join(cluster.home, "go-node");
  const stream = remoteParallelMap(async (x: number) => {
    const { existsSync } = await import("node:fs");
    console.log("begun");
    while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 20));
    return remoteParallelMap((y: number) => y * 10, [x, x + 1]).toArray();
  }, [1], { onLog: () => begun() });
  let begun: () => void = () => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const results = stream.toArray();
  await hasBegun;
  const stranger = await moveMain();
  writeFileSync(go, "");
  assert.deepEqual(await results, [[10, 20]]);
  stranger.heardNothing();
  stranger.close();
  await cluster.ready();
});

test("so do those in Python", async () => {
  const go = join(cluster.home, "go-python");
  const script = Script.python(cluster, `
def outer(x):
    import os, time
    print("begun", flush=True)
    while not os.path.exists(${JSON.stringify(go)}): time.sleep(0.02)
    import burla
    return sorted(burla.remote_parallel_map(lambda y: y * 10, [x, x + 1]))
print(list(remote_parallel_map(outer, [1])))`);
  await script.line(/begun/);
  const stranger = await moveMain();
  writeFileSync(go, "");
  const { stdout, stderr, code } = await script.ended();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\[\[10, 20\]\]/);
  stranger.heardNothing();
  stranger.close();
});
