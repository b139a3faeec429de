/** The extension's package as the editor unpacks it, in a folder with nothing else. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { root, serverNode } from "../../scripts/vscode/paths.ts";
import { profileIn, serverCommand } from "../../scripts/vscode/server.ts";
import { packagedExtension } from "../browser/workbench.ts";
import { TestCluster } from "../support/cluster.ts";

const run = promisify(execFile);
const MIB = 1024 * 1024;
/** esbuild's program is 4.2 MiB of it, compressed, TypeScript 0.9, ZeroMQ 0.8, the client and the services 2.2. Raise them in the commit that needs more. */
const MAX_PACKAGE_MIB = 10;
const MAX_INSTALLED_MIB = 28;

/** Everything that may be in it, relative to its folder. */
const ALLOWED = [
  /^(package\.json|readme\.md|changelog\.md|LICENSE\.txt|\.vsixmanifest)$/,
  /^media\/[\w/-]+\.(svg|png|css|js)$/,
  /^extension\/dist\/[\w-]+\.(cjs|mjs|js|css)$/,
  /^extension\/dist\/node_modules\/burla\/(package\.json|dist\/(services\/)?[\w-]+\.(js|cjs|mjs)|dist\/services\/boot\.sh|dist\/python\/[\w/]+\.(py|typed))$/,
  /^extension\/dist\/node_modules\/tsx\/(package\.json|LICENSE|dist\/[\w./-]+\.(js|cjs|mjs))$/,
  /^extension\/dist\/node_modules\/zeromq\/(package\.json|LICENSE[\w.-]*|lib\/[\w-]+\.js|build\/manifest\.json|build\/[\w/-]+\/addon\.node)$/,
  /^extension\/dist\/node_modules\/cmake-ts\/(package\.json|LICENSE[\w.-]*|build\/loader\.js)$/,
  /^extension\/dist\/node_modules\/esbuild\/(package\.json|LICENSE\.md|lib\/main\.js)$/,
  /^extension\/dist\/node_modules\/@esbuild\/[\w-]+\/(package\.json|bin\/esbuild|esbuild\.exe)$/,
];
/** Without these it would not work. */
const NEEDED = [
  "package.json",
  "readme.md",
  "extension/dist/extension.cjs",
  ...["keeper.mjs", "kernel-host.mjs", "cell-renderer.js"].map((name) => `extension/dist/${name}`),
  "extension/dist/node_modules/burla/dist/python/burla_kernel/bootstrap.py",
  ...["main", "node", "worker"].map((service) => `extension/dist/node_modules/burla/dist/services/${service}.mjs`),
  ...["gce.mjs", "boot.sh", "receive.mjs"].map((name) => `extension/dist/node_modules/burla/dist/services/${name}`),
  "extension/dist/session.mjs",
  "extension/dist/session-doorman.mjs",
  "extension/dist/node_modules/esbuild/lib/main.js",
  "extension/dist/node_modules/tsx/dist/esm/api/index.mjs",
  `extension/dist/node_modules/@esbuild/${process.platform}-${process.arch}/bin/esbuild`,
];

let folder = "";
let installed = "";
let files: string[] = [];

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "burla-vsix-")));
  const profile = profileIn(folder);
  await serverCommand(profile, ["--install-extension", await packagedExtension()]);
  const listed = await serverCommand(profile, ["--list-extensions", "--show-versions"]);
  assert.match(listed, /^burla\.burla-vscode@\d+\.\d+\.\d+$/m);
  const [name] = (await readdir(profile.extensionsFolder)).filter((entry) => entry.startsWith("burla.burla-vscode-"));
  installed = join(profile.extensionsFolder, name ?? "");
  const entries = await readdir(installed, { recursive: true, withFileTypes: true });
  files = entries.filter((entry) => entry.isFile()).map((entry) => relative(installed, join(entry.parentPath, entry.name)));
});

after(() => rm(folder, { recursive: true, force: true }));

test("it holds what it needs, and nothing that nobody asked for", () => {
  for (const file of files) assert.ok(ALLOWED.some((pattern) => pattern.test(file)), `${file} should not be there`);
  for (const file of NEEDED) assert.ok(files.includes(file), `${file} is missing`);
});

test("every picture and style in it is used", async () => {
  const pages = files.filter((file) => /^(package\.json|readme\.md|extension\/dist\/[^/]+)$/.test(file));
  const texts = (await Promise.all(pages.map((file) => readFile(join(installed, file), "utf8")))).join("\n");
  for (const file of files.filter((name) => name.startsWith("media/"))) assert.ok(texts.includes(basename(file)), `${file} is used nowhere`);
});

test("its manifest says nothing about our repository", async () => {
  const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as Record<string, unknown>;
  for (const field of ["scripts", "devDependencies", "workspaces", "dependencies"]) assert.equal(manifest[field], undefined, field);
});

test("it stays under its size limits", async () => {
  const packed = (await stat(await packagedExtension())).size;
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(installed, file))).size));
  const unpacked = sizes.reduce((sum, bytes) => sum + bytes, 0);
  console.log(`package: ${(packed / MIB).toFixed(1)} MiB, installed: ${(unpacked / MIB).toFixed(1)} MiB`);
  assert.ok(packed < MAX_PACKAGE_MIB * MIB, `${(packed / MIB).toFixed(1)} MiB packed`);
  assert.ok(unpacked < MAX_INSTALLED_MIB * MIB, `${(unpacked / MIB).toFixed(1)} MiB installed`);
});

for (const [name, node] of Object.entries({ "the editor's Node": serverNode, "this Node": process.execPath })) {
  test(`its addon for local Jupyter kernels loads, under ${name}`, async () => {
    const { stdout } = await run(node, ["--print", `require(${JSON.stringify(join(installed, "extension", "dist", "node_modules", "zeromq"))}).version`]);
    assert.match(stdout, /^4\.\d+\.\d+$/m);
  });
}

for (const [name, node] of Object.entries({ "the editor's Node": serverNode, "this Node": process.execPath })) {
  test(`its client runs a function that has to be compiled, under ${name}`, async () => {
    const cluster = new TestCluster();
    const env = { ...process.env, BURLA_HOME: cluster.home, NODE_OPTIONS: "", NODE_PATH: "" };
    try {
      const { stdout } = await run(node, ["--input-type=module", "--eval", PROGRAM, join(installed, "extension", "dist", "extension.cjs")], { cwd: folder, env, timeout: 60_000 });
      assert.deepEqual(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""), ["1.csv is 2", "2.csv is 4"]);
      for (const { command } of cluster.processes()) assert.ok(command.includes(installed) && !command.includes(join(root, "client")), command);
    } finally {
      await cluster.dispose();
    }
  });
}

/** Finds its packages from where the extension's code would. The import makes esbuild compile the function. */
const PROGRAM = `
import { createRequire } from "node:module";
import { basename } from "node:path";
const { remoteParallelMap } = createRequire(process.argv[1])("burla");
const double = (x) => basename("/data/" + x + ".csv") + " is " + x * 2;
console.log(JSON.stringify(await remoteParallelMap(double, [1, 2]).toArray()));
`;
