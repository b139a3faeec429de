/** A program that a bundler has made, with `burla` inside, and no cluster running. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse, type Node } from "acorn";
import { build } from "esbuild";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const CHUNK = "function chunk(list, n) { var out = []; for (var i = 0; i < list.length; i += n) out.push(list.slice(i, i + n)); return out; } chunk.chunk = chunk; module.exports = chunk;";
const BODY = "const factor = 3; void (async () => { try { console.log(JSON.stringify(await remoteParallelMap((x) => chunk([x * factor, x], 1), [1, 2]).toArray())); } catch (error) { console.log(error.code, error.cure); } })();";
const CALLERS = {
  "caller.mjs": `import { remoteParallelMap } from "burla"; import chunk from "./chunk.cjs"; ${BODY}`,
  "caller.cjs": `const { remoteParallelMap } = require("burla"); const chunk = require("./chunk.cjs"); ${BODY}`,
};

let installed = "";
let elsewhere = "";
let home = "";

before(async () => {
  [installed, elsewhere, home] = (await Promise.all(["installed", "elsewhere", "home"].map((name) => mkdtemp(join(tmpdir(), `burla-bundled-${name}-`))))) as [string, string, string];
  await mkdir(join(installed, "node_modules", "burla"), { recursive: true });
  for (const part of ["dist", "package.json"]) await cp(join(root, "client", part), join(installed, "node_modules", "burla", part), { recursive: true });
  await symlink(join(root, "node_modules", "esbuild"), join(installed, "node_modules", "esbuild"));
  await writeFile(join(installed, "chunk.cjs"), CHUNK);
  for (const [file, text] of Object.entries(CALLERS)) await writeFile(join(installed, file), text);
});
after(async () => {
  await run(process.execPath, [join(root, "client/dist/cli.js"), "down"], { env: environment() });
  for (const folder of [installed, elsewhere, home]) await rm(folder, { recursive: true, force: true });
});

function environment(folder = installed): NodeJS.ProcessEnv {
  // A cluster that runs already serves any program.
  return { ...process.env, BURLA_HOME: folder === installed ? home : join(folder, "home"), NODE_OPTIONS: undefined };
}

async function runBundled(entry: string, format: "esm" | "cjs", folder: string, minify: boolean): Promise<string> {
  const outfile = join(folder, `${entry.replace(".", "-")}${minify ? "-min" : ""}.${format === "esm" ? "mjs" : "cjs"}`);
  await build({ entryPoints: [join(installed, entry)], absWorkingDir: installed, bundle: true, platform: "node", format, minify, outfile, external: ["esbuild"], logLevel: "silent" });
  const { stdout } = await run(process.execPath, [outfile], { cwd: folder, env: environment(folder) });
  return stdout.trim();
}

for (const entry of Object.keys(CALLERS)) {
  for (const format of ["esm", "cjs"] as const) {
    test(`${entry} in a bundle that is ${format} finds the cluster's programs where the package is installed`, async () => {
      for (const minify of [false, true]) assert.equal(await runBundled(entry, format, installed, minify), "[[[3],[1]],[[6],[2]]]");
    });
    test(`${entry} in a bundle that is ${format} and lies elsewhere says what to do`, async () => {
      assert.match(await runBundled(entry, format, elsewhere, true), /^BURLA_UNREACHABLE Mark burla external/);
    });
  }
}

for (const name of ["index.js", "control.js"]) {
  test(`${name} calls no imported createRequire, of which webpack leaves nothing`, async () => {
    const program = parse(await readFile(join(root, "client/dist", name), "utf8"), { ecmaVersion: "latest", sourceType: "module" });
    const nodes = [...allNodes(program)];
    // A library that asks for `module` instead does it for a native addon, which it can do without.
    const fromNode = nodes.filter((node) => node.type === "ImportDeclaration" && partOf(node, "source", "value") === "node:module").flatMap((node) => [...allNodes(node)]);
    const imported = fromNode.flatMap((node) => (node.type === "ImportSpecifier" && partOf(node, "imported", "name") === "createRequire" ? [partOf(node, "local", "name")] : []));
    const called = nodes.flatMap((node) => (node.type === "CallExpression" ? [partOf(node, "callee", "name")] : []));
    assert.deepEqual(imported.filter((local) => called.includes(local)), []);
  });
}

function* allNodes(value: unknown): Generator<Node> {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value) yield value as Node;
  for (const part of Object.values(value)) yield* allNodes(part);
}

function partOf(node: Node, part: string, name: string): unknown {
  return (node as unknown as Record<string, Record<string, unknown>>)[part]?.[name];
}
