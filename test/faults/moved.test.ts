/** Main comes back where it was not before: what runs on its cluster finds it, and its tokens go to nobody else. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { ensureInterpreter } from "../../scripts/python/interpreters.ts";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";
import { pause, until } from "../support/until.ts";

const cluster = useCluster({ BURLA_PYTHON: ensureInterpreter().command });

/** Kills main and takes its port before the next one does. @returns what was said there. */
async function moveMain(): Promise<{ heard: () => string; close: () => void }> {
  const port = Number(new URL(cluster.address.url).port);
  process.kill(cluster.main.pid, "SIGKILL");
  let heard = "";
  const server = createServer((socket) => socket.on("error", () => undefined).on("data", (piece) => (heard += piece.toString("latin1"))));
  for (let isThere = false; !isThere; await pause(isThere ? 0 : 2)) {
    isThere = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
  }
  server.removeAllListeners("error");
  // A test that fails must end all the same.
  server.unref();
  await until("main is back at another port", () => cluster.isAnnounced && new URL(cluster.address.url).port !== String(port));
  return { heard: () => heard, close: () => server.close() };
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
  assert.doesNotMatch(stranger.heard(), /Bearer/);
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
  assert.doesNotMatch(stranger.heard(), /Bearer/);
  stranger.close();
});
