/** Under Yarn's Plug'n'Play, whose run-time signs are put up here: packages in archives, and a hook that can look into them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const ARCHIVED = ".yarn/cache/zipped-npm-1.0.0.zip/node_modules/zipped/index.js";
const HOOK = `
const Module = require("node:module"); const { join } = require("node:path");
Object.defineProperty(process.versions, "pnp", { value: "3", enumerable: true });
const archived = join(__dirname, ${JSON.stringify(ARCHIVED)}); const resolve = Module._resolveFilename; const load = Module._extensions[".js"];
Module._resolveFilename = (name, ...rest) => (name === "zipped" ? archived : resolve(name, ...rest));
Module._extensions[".js"] = (module, file) => (file === archived ? module._compile("module.exports = (x) => x + 1;", file) : load(module, file));
`;
const caller = (burla: string, fn: string): string =>
  `const { remoteParallelMap } = require(${JSON.stringify(burla)}); const zipped = require("zipped"); (async () => { try { console.log(await remoteParallelMap(${fn}, [1]).toArray()); } catch (error) { console.log(error.code, error.message); } })();`;

let project = "";
let home = "";

before(async () => {
  [project, home] = (await Promise.all(["project", "home"].map((name) => mkdtemp(join(tmpdir(), `burla-pnp-${name}-`))))) as [string, string];
  await writeFile(join(project, "package.json"), "{}");
  await writeFile(join(project, ".pnp.cjs"), HOOK);
  // A folder with the name of an archive: this program cannot tell.
  for (const folder of ["node_modules/burla", ".yarn/cache/burla.zip/node_modules/burla"]) {
    await mkdir(join(project, folder), { recursive: true });
    for (const part of ["dist", "package.json"]) await cp(join(root, "client", part), join(project, folder, part), { recursive: true });
    await symlink(join(root, "node_modules/esbuild"), join(project, folder, "../esbuild"));
  }
  await writeFile(join(project, "imports.cjs"), caller("burla", "(x) => zipped(x)"));
  await writeFile(join(project, "archived.cjs"), caller("./.yarn/cache/burla.zip/node_modules/burla/dist/index.cjs", "(x) => x"));
});
after(async () => {
  await run(process.execPath, [join(root, "client/dist/cli.js"), "down"], { env: environment() });
  for (const folder of [project, home]) await rm(folder, { recursive: true, force: true });
});

function environment(folder = home): NodeJS.ProcessEnv {
  return { ...process.env, BURLA_HOME: folder, NODE_OPTIONS: undefined };
}

async function runCaller(file: string, folder = home): Promise<string> {
  const { stdout } = await run(process.execPath, ["--require", join(project, ".pnp.cjs"), join(project, file)], { cwd: project, env: environment(folder) });
  return stdout;
}

test("a function that imports what lies in an archive is refused, with the setting that helps", async () => {
  const said = await runCaller("imports.cjs");
  assert.match(said, /^BURLA_CAPTURE .*zipped/);
  assert.match(said, /nodeLinker: node-modules[^]*Plug'n'Play/);
});

test("burla itself in an archive says that its programs cannot be started from there", async () => {
  // A cluster that runs already serves any program.
  const said = await runCaller("archived.cjs", join(home, "nothing-runs"));
  assert.match(said, /^BURLA_UNREACHABLE [^]*Plug'n'Play keeps burla in an archive[^]*nodeLinker: node-modules/);
});

test("doctor names it in the project's folder, and in those below", async () => {
  await mkdir(join(project, "src", "deep"), { recursive: true });
  for (const folder of [project, join(project, "src", "deep")]) {
    const said = await doctor(folder);
    assert.match(said, /Yarn's Plug'n'Play \([^)]*\.pnp\.cjs\) keeps packages in archives/);
    assert.match(said, /nodeLinker: node-modules/);
  }
  assert.doesNotMatch(await doctor(home), /Plug'n'Play/);
});

/** What it prints, whatever else it finds to be wrong on this machine. */
async function doctor(cwd: string): Promise<string> {
  const { stdout } = await run(process.execPath, [join(root, "client/dist/cli.js"), "doctor"], { cwd, env: environment() }).catch((error: unknown) => error as { stdout: string });
  return stdout;
}
