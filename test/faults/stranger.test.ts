/** Main dies and somebody else takes its place: a token goes to nobody but main. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { ensureInterpreter } from "../../scripts/python/interpreters.ts";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";
import { Stranger } from "../support/stranger.ts";
import { pause, until } from "../support/until.ts";

const cluster = useCluster({ BURLA_PYTHON: ensureInterpreter().command });
/** Nodes dial again within a second. */
const REDIAL_MS = 1_500;
const NOBODY = 65_534;

/** A job whose only call starts another when it is told to. */
async function outerInNode(name: string): Promise<{ go: () => void; results: () => Promise<void> }> {
  const flag = join(cluster.home, name);
  let begun: () => void = () => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const results = remoteParallelMap(async (x: number) => {
    const { existsSync } = await import("node:fs");
    console.log("begun");
    while (!existsSync(flag)) await new Promise((resolve) => setTimeout(resolve, 20));
    return remoteParallelMap((y: number) => y * 10, [x, x + 1]).toArray();
  }, [1], { onLog: () => begun() }).toArray();
  await hasBegun;
  return { go: () => writeFileSync(flag, ""), results: async () => assert.deepEqual(await results, [[10, 20]]) };
}

async function outerInPython(name: string): Promise<{ go: () => void; results: () => Promise<void> }> {
  const flag = join(cluster.home, name);
  const script = Script.python(cluster, `
def outer(x):
    import os, time
    print("begun", flush=True)
    while not os.path.exists(${JSON.stringify(flag)}): time.sleep(0.02)
    import burla
    return sorted(burla.remote_parallel_map(lambda y: y * 10, [x, x + 1]))
print(list(remote_parallel_map(outer, [1])))`);
  await script.line(/begun/);
  return {
    go: () => writeFileSync(flag, ""),
    results: async () => {
      const { stdout, stderr, code } = await script.ended();
      assert.equal(code, 0, stderr);
      assert.match(stdout, /\[\[10, 20\]\]/);
    },
  };
}

const languages = { TypeScript: outerInNode, Python: outerInPython };

for (const [language, outer] of Object.entries(languages)) {
  test(`a program on main's port, also with its pid, hears no token of clients, nodes and functions in ${language}`, async () => {
    const job = await outer(`port-${language}`);
    const stranger = await Stranger.takesPlaceOf(cluster, { hasPid: true });
    job.go();
    await job.results();
    stranger.heardNothing();
    stranger.close();
    await cluster.ready();
  });

  test(`a program on main's socket, in a folder that is open to others, hears none of them either, and main takes its place back (${language})`, async () => {
    const job = await outer(`socket-${language}`);
    const path = cluster.address.socket!;
    process.kill(cluster.main.pid, "SIGKILL");
    chmodSync(dirname(path), 0o777);
    rmSync(path);
    const stranger = await Stranger.listens(cluster, { path });
    job.go();
    await job.results();
    stranger.heardNothing();
    stranger.close();
    await cluster.ready();
  });
}

test("commands, watchers and programs of another build tell it nothing either", async () => {
  await cluster.ready();
  const file = cluster.address;
  const stranger = await Stranger.takesPlaceOf(cluster, { hasPid: true });
  for (const args of [["status"], ["jobs"], ["people"], ["logs", "job-0000000000000000000"], ["cancel", "job-0000000000000000000"]]) await Script.command(cluster, args).ended();
  await Script.run(cluster, `
    import { watchCluster } from "burla/control";
    for await (const { phase } of watchCluster("local")) { console.log(phase); break; }
  `);
  await pause(REDIAL_MS);
  stranger.heardNothing();
  writeFileSync(cluster.connectionFile, JSON.stringify({ ...file, pid: process.pid, build: "another" }));
  const { stdout, stderr } = await Script.run(cluster, `console.log(await remoteParallelMap((x) => x + 1, [1]).toArray());`);
  assert.equal(stdout, "[ 2 ]\n", stderr);
  stranger.heardNothing();
  stranger.close();
  await cluster.ready();
});

test("a folder of somebody else in place of the socket's is not dialled, and whoever starts the cluster is told of it", async () => {
  await cluster.ready();
  const path = cluster.address.socket!;
  const folder = dirname(path);
  process.kill(cluster.main.pid, "SIGKILL");
  rmSync(folder, { recursive: true });
  const theirs = join(cluster.home, "theirs");
  mkdirSync(theirs);
  const stranger = await Stranger.listens(cluster, { path: join(theirs, basename(path)) });
  // Only root can give files away; everybody can lead elsewhere.
  if (process.getuid?.() === 0) {
    renameSync(theirs, folder);
    for (const given of [folder, path]) chownSync(given, NOBODY, NOBODY);
  } else symlinkSync(theirs, folder);
  const client = await Script.run(cluster, `await remoteParallelMap((x) => x, [1]).toArray();`);
  assert.match(client.stderr, /sockets.*belongs to another user.*remove it/);
  const python = await Script.python(cluster, `list(remote_parallel_map(lambda x: x, [1]))`, { env: { BURLA_CLIENT: "/nowhere" } }).ended();
  assert.notEqual(python.code, 0);
  await pause(REDIAL_MS);
  stranger.heardNothing();
  stranger.close();
  rmSync(folder, { recursive: true, force: true });
  await cluster.start();
});

test("a socket that somebody takes away is made anew", async () => {
  await cluster.ready();
  const path = cluster.address.socket!;
  const { pid } = cluster.main;
  for (const remove of [() => rmSync(path), () => rmSync(dirname(path), { recursive: true })]) {
    remove();
    await until("it is there again", () => existsSync(path));
    assert.deepEqual(await remoteParallelMap((x: number) => x + 1, [1]).toArray(), [2]);
    assert.equal(cluster.main.pid, pid, "by the same main");
  }
});
