/** The tarball as a user gets it: installed with `npm i` into an empty folder, on each supported Node. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const MIB = 1024 * 1024;
/** esbuild is 11 MiB of it, Google's clients 3 MiB (Compute Engine, Firestore), our own code 4 MiB. Raise it in the commit that needs more. */
const MAX_INSTALLED_MIB = 20;
const OTHER_NODES = ["22", "24"];

/** The script of a user: a closure over an import and a local value, a class, an error with its line. */
const BODY = `
const factor = 3;
class Model { #k = 2; score(x) { return x * this.#k * factor; } }
const work = (x) => {
  if (x === 4) throw new RangeError("bad " + x);
  return [new Model().score(x), basename("/data/" + x + ".csv", ".csv")];
};
async function main() {
  const results = await remoteParallelMap(work, [1, 2, 3]).toArray();
  let failure;
  try { await remoteParallelMap(work, [4]).toArray(); } catch (error) { failure = error; }
  console.log(JSON.stringify({ results, failure: [failure instanceof RangeError, failure.inputIndex, /consumer\\.\\w+:\\d+/.test(failure.stack)] }));
}
void main();
`;
const EXPECTED = { results: [[6, "1"], [12, "2"], [18, "3"]], failure: [true, 0, true] };

const FLAVOURS = {
  "plain ES module": { file: "consumer.mjs", head: 'import { basename } from "node:path";\nimport { remoteParallelMap } from "burla";\n', args: [] },
  CommonJS: { file: "consumer.cjs", head: 'const { basename } = require("node:path");\nconst { remoteParallelMap } = require("burla");\n', args: [] },
  "TypeScript under tsx": {
    file: "consumer.ts",
    head: 'import { basename } from "node:path";\nimport { remoteParallelMap } from "burla";\n',
    args: ["--import", "tsx"],
    adapt: (body: string) => body.replace("score(x)", "score(x: number): number").replace("(x) =>", "(x: number): [number, string] =>").replace("let failure;", "let failure: any;"),
  },
} satisfies Record<string, { file: string; head: string; args: string[]; adapt?: (body: string) => string }>;

let folder = "";
const nodes = new Map<string, string>([[process.versions.node.split(".")[0] ?? "", process.execPath]]);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "burla-package-"));
  const { stdout } = await run("npm", ["pack", "-w", "client", "--pack-destination", folder, "--json"], { cwd: root });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }));
  await run("npm", ["i", "--no-audit", "--no-fund", `./${filename}`], { cwd: folder });
  for (const version of OTHER_NODES) nodes.set(version, await installNode(version));
  // tsx is the user's own tool, not a dependency of the package: the project's copy serves.
  await cp(join(root, "node_modules", "tsx"), join(folder, "node_modules", "tsx"), { recursive: true });
  for (const helper of ["get-tsconfig", "resolve-pkg-maps"]) {
    if (existsSync(join(root, "node_modules", helper))) {
      await cp(join(root, "node_modules", helper), join(folder, "node_modules", helper), { recursive: true });
    }
  }
});

after(() => rm(folder, { recursive: true, force: true }));

test("its installed size stays under its ceiling", async () => {
  const seen = new Set<number>();
  let bytes = 0;
  for (const name of ["burla", "esbuild", "@esbuild"]) bytes += await sizeOf(join(folder, "node_modules", name), seen);
  console.log(`installed size: ${(bytes / MIB).toFixed(1)} MiB`);
  assert.ok(bytes < MAX_INSTALLED_MIB * MIB, `${(bytes / MIB).toFixed(1)} MiB`);
});

test("it says what it is, and no file of it has a comment that tools take for a source map", async () => {
  const installed = join(folder, "node_modules", "burla");
  assert.match(await readFile(join(installed, "README.md"), "utf8"), /^# burla\n/);
  for (const file of ["index.js", "index.cjs", "cli.js"]) assert.doesNotMatch(await readFile(join(installed, "dist", file), "utf8"), /\/\/[#@] ?sourceMappingURL=/);
});

test("an error that nobody catches is shown with its message, not with pages of our code", async () => {
  const { stderr } = await run(process.execPath, ["--input-type=module", "-e", 'import { remoteParallelMap } from "burla"; remoteParallelMap(5, []);'], { cwd: folder }).catch((error: { stderr: string }) => error);
  assert.match(stderr, /^TypeError: remoteParallelMap: the first argument must be a function, not 5$/m);
  assert.ok(stderr.length < 4000, `${stderr.length} characters`);
});

for (const version of new Set([process.versions.node.split(".")[0] ?? "", ...OTHER_NODES])) {
  test(`it works on Node ${version}`, async (t) => {
    const home = await mkdtemp(join(tmpdir(), "burla-home-"));
    const env = { ...process.env, BURLA_HOME: home, NODE_OPTIONS: "" };
    const node = nodes.get(version) ?? "";
    try {
      for (const [flavour, { file, head, args, ...rest }] of Object.entries(FLAVOURS)) {
        await t.test(flavour, async () => {
          const body = "adapt" in rest ? rest.adapt(BODY) : BODY;
          await writeFile(join(folder, file), head + body);
          const { stdout } = await run(node, [...args, file], { cwd: folder, env, timeout: 60_000 });
          assert.deepEqual(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""), EXPECTED);
        });
      }
      await t.test("burla status, doctor and down", async () => {
        const cli = join(folder, "node_modules", ".bin", "burla");
        const { stdout } = await run(node, [cli, "status", "--json"], { cwd: folder, env });
        assert.equal((JSON.parse(stdout) as { nodes: unknown[] }).nodes.length >= 2, true);
        await run(node, [cli, "doctor"], { cwd: folder, env });
      });
      await t.test("burla/control, as ES module, as CommonJS, and its types", async () => {
        const body = `for await (const state of watchCluster()) { console.log(state.phase, (await listClusters())[0]?.isRunning); break; }`;
        await writeFile(join(folder, "watch.mjs"), `import { listClusters, watchCluster } from "burla/control";\n${body}`);
        await writeFile(join(folder, "watch.cjs"), `const { listClusters, watchCluster } = require("burla/control");\n(async () => { ${body} })();`);
        for (const file of ["watch.mjs", "watch.cjs"]) assert.equal((await run(node, [file], { cwd: folder, env })).stdout, "running true\n");
        await writeFile(join(folder, "watch.mts"), `import { watchCluster, type ClusterState } from "burla/control";\nfor await (const state of watchCluster()) { const phase: ClusterState["phase"] = state.phase; void phase; }\n`);
        await run(node, [join(root, "node_modules", "typescript", "bin", "tsc"), "--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom", "watch.mts"], { cwd: folder });
      });
    } finally {
      await run(node, [join(folder, "node_modules", ".bin", "burla"), "down", "--force"], { cwd: folder, env });
      await rm(home, { recursive: true, force: true });
    }
  });
}

/** Newer Nodes come as npm packages that hold the binary; kept between runs. */
async function installNode(version: string): Promise<string> {
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const cache = join(root, ".cache", "nodes", version);
  const binary = join(cache, "node_modules", name, "bin", "node");
  if (existsSync(binary)) return binary;
  await mkdir(cache, { recursive: true });
  await writeFile(join(cache, "package.json"), "{}");
  await run("npm", ["i", "--no-audit", "--no-fund", "--ignore-scripts", `${name}@${version}`], { cwd: cache });
  return binary;
}

/** Bytes on disk; a file with several names (esbuild's binary has two) counts once. */
async function sizeOf(path: string, seen = new Set<number>()): Promise<number> {
  const info = await stat(path).catch(() => null);
  if (info === null) return 0;
  if (!info.isDirectory()) return seen.has(info.ino) ? 0 : (seen.add(info.ino), info.size);
  let bytes = 0;
  for (const name of await readdir(path)) bytes += await sizeOf(join(path, name), seen);
  return bytes;
}
