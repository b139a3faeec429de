/** Builds the `burla` package: client, command line, and the programs of the services that it starts. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { basename, join } from "node:path";
import { computeProtos } from "./compute-protos.mjs";
import { silentLibrary } from "./silent-library.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "client", "dist");
const { version } = JSON.parse(await readFile(join(root, "client", "package.json"), "utf8"));

/** The two export lists of the package: `burla`, and `burla/control`. */
const DOORS = [
  { entry: "client/src/index.ts", name: "index" },
  { entry: "client/src/control/index.ts", name: "control" },
];

/** Node 20.19 is the oldest that is supported. */
const common = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  sourcemap: false,
  legalComments: "none",
  minifySyntax: true,
  minifyWhitespace: true,
  // Node shows the line that threw when nobody catches an error: it must not be the whole file.
  lineLimit: 120,
  define: { BURLA_VERSION: JSON.stringify(version) },
  logLevel: "warning",
  external: ["esbuild", "burla", "zeromq"],
  plugins: [silentLibrary],
};
/** Engines over ssh, and BuildKit, are not used: their packages would be three quarters of the client of the engine. */
const absent = join(root, "services/node/src/containers/docker/absent.cjs");

/**
 * Bundled CommonJS packages call `require`, which ES modules do not have. What makes it is asked of the process: webpack
 * takes calls of an imported one for its own, and leaves nothing of them.
 */
const requireBanner = { js: 'const require=process.getBuiltinModule("node:module").createRequire(import.meta.url||(typeof __filename==="string"?__filename:process.cwd()+"/"));' };

/**
 * Google's client of Firestore is 2 MB that most users never load: it is a file of its own in `dist`, imported when a
 * cluster has its queue there. Everything that is built names it by its place beside that file's folder.
 */
const firestoreApart = (fromDist) => ({
  name: "firestore-apart",
  setup(build) {
    build.onResolve({ filter: /\/google-store\.ts$/ }, () => ({ path: `${fromDist}google-store.mjs`, external: true }));
  },
});

/** Google's client looks for its files by these, although it carries them in itself. */
const fileNames = 'import{fileURLToPath as __burlaPath}from"node:url";const __filename=__burlaPath(import.meta.url);const __dirname=__burlaPath(new URL(".",import.meta.url));';

/**
 * A bundler that puts the CommonJS build into an ES module has no `require` there, not even for what Node itself brings:
 * that is asked of the process.
 */
const ofNode =
  'const __burlaNode=(name)=>process.getBuiltinModule?.(name)??require(name);' +
  'const __burlaUrl=typeof __filename==="string"?__burlaNode("node:url").pathToFileURL(__filename).href:undefined;';

const nodeModulesOfProcess = {
  name: "node-modules-of-process",
  setup({ onEnd, initialOptions }) {
    onEnd(async ({ errors }) => {
      if (errors.length > 0) return;
      const text = await readFile(initialOptions.outfile, "utf8");
      await writeFile(initialOptions.outfile, text.replaceAll(/\brequire\(("[\w:/]+")\)/g, (call, name) => (isBuiltin(JSON.parse(name)) ? `__burlaNode(${name})` : call)));
    });
  },
};

/** The worker shares its process with functions that may replace any global: it keeps those that it was started with. */
const ownGlobals =
  "const{setImmediate,setTimeout,clearTimeout,setInterval,clearInterval,queueMicrotask,Promise}=globalThis;" +
  "const performance={now:globalThis.performance.now.bind(globalThis.performance)};";

const { build: esbuild, transform } = await import("esbuild");

export async function build({ types = true } = {}) {
  await mkdir(dist, { recursive: true });
  let define = { ...common.define, BURLA_RESTORE_TEXT: JSON.stringify(await restoreText()) };
  const esm = (entry, outfile, banner = requireBanner) =>
    esbuild({
      ...common, define, entryPoints: [join(root, entry)], outfile: join(dist, outfile), format: "esm", metafile: true, banner,
      plugins: [firestoreApart(outfile.startsWith("services/") ? "../" : "./")],
    });
  const services = await Promise.all([
    esm("services/main/src/main.ts", "services/main.mjs"),
    nodeService(define),
    esm("services/worker/src/main.ts", "services/worker.mjs", { js: requireBanner.js + ownGlobals }),
    buildGoogle(),
  ]);
  for (const file of ["boot.sh", "receive.mjs"]) await copyFile(join(root, "services/vm", file), join(dist, "services", file));
  const python = await copyPython();
  const built = services.flatMap(({ metafile }) => Object.keys(metafile.outputs));
  define = { ...define, BURLA_BUILD: JSON.stringify(await hashOf([...built, ...python])) };
  await Promise.all([
    ...DOORS.flatMap(({ entry, name }) => [
      esm(entry, `${name}.js`),
      esbuild({
        ...common,
        entryPoints: [join(root, entry)],
        outfile: join(dist, `${name}.cjs`),
        format: "cjs",
        define: { ...define, "import.meta.url": "__burlaUrl" },
        banner: { js: ofNode },
        plugins: [firestoreApart("./"), nodeModulesOfProcess],
      }),
    ]),
    esm("client/src/tools.ts", "tools.js"),
    existsSync(join(root, "client/src/cli/main.ts")) &&
      esm("client/src/cli/main.ts", "cli.js", { js: `#!/usr/bin/env node\n${requireBanner.js}` }),
  ]);
  await mkdir(join(root, "extension/dist"), { recursive: true });
  await Promise.all([buildExtension(esbuild, define), buildRunner(esbuild, define), buildKeeper(esbuild, define), buildSession(esbuild, define), buildPages(esbuild)]);
  await copyFile(join(root, "LICENSE"), join(root, "client", "LICENSE"));
  if (types) await buildTypes();
}

/**
 * The extension holds the client's code, and beside it lies the package `burla` itself: there the client's code finds
 * the programs of the services, and workers find the package that a user's function imports. In the repository that is
 * a link; a `.vsix` has a copy.
 */
async function buildExtension(esbuild, define) {
  const modules = join(root, "extension", "dist", "node_modules");
  await mkdir(modules, { recursive: true });
  await symlink(join(root, "client"), join(modules, "burla"), "junction").catch((error) => {
    if (error.code !== "EEXIST") throw error;
  });
  await esbuild({
    ...common,
    define: { ...define, "import.meta.url": "__burlaUrl" },
    external: ["vscode", ...common.external],
    plugins: [firestoreApart("./node_modules/burla/dist/")],
    entryPoints: [join(root, "extension/src/extension.ts")],
    outfile: join(root, "extension/dist/extension.cjs"),
    format: "cjs",
    banner: { js: 'const __burlaUrl=require("node:url").pathToFileURL(require("node:path").join(__dirname,"node_modules/burla/dist/extension.cjs")).href;' },
  });
}

/**
 * Google's clients of Firestore and of Compute Engine, and what both are made of: files that are loaded on first use. They
 * are most of the package, so identifiers are shortened; the names of functions and classes stay, which such code asks for.
 * CommonJS that asks where it is, as gRPC does for its files, needs both names.
 */
async function buildGoogle() {
  const built = await esbuild({
    ...common,
    entryPoints: { "google-store": join(root, "queue/src/google-store.ts"), "services/gce": join(root, "protocol/src/gce/index.ts") },
    outdir: dist,
    outExtension: { ".js": ".mjs" },
    chunkNames: "google-[hash]",
    splitting: true,
    minifyIdentifiers: true,
    keepNames: true,
    metafile: true,
    format: "esm",
    banner: { js: requireBanner.js + fileNames },
    plugins: [silentLibrary, computeProtos],
  });
  // Parts have the hash of their content in their names: those of an earlier build would stay beside them.
  const parts = new Set(Object.keys(built.metafile.outputs).map((path) => basename(path)));
  for (const name of await readdir(dist)) if (/^google-.*\.mjs$/.test(name) && !parts.has(name)) await rm(join(dist, name));
  return built;
}

/** The programs that the extension starts under the user's own Node. They import the package `burla` beside them. */
function buildRunner(esbuild, define) {
  const program = (entry, name) =>
    esbuild({
      ...common, define, entryPoints: [join(root, "extension/src/runner", entry)], outfile: join(root, "extension/dist", name), format: "esm", banner: requireBanner,
      plugins: [firestoreApart("./node_modules/burla/dist/")],
    });
  return Promise.all([program("main.ts", "runner.mjs"), program("evaluator.ts", "evaluator.mjs")]);
}

/** The program that keeps a kernel while a window is reloaded, and the one that runs local Jupyter kernels: it needs a native package. */
function buildKeeper(esbuild, define) {
  const program = (entry, name) =>
    esbuild({ ...common, define, external: [...common.external, "zeromq"], minifyIdentifiers: true, entryPoints: [join(root, entry)], outfile: join(root, "extension/dist", name), format: "esm", banner: requireBanner });
  return Promise.all([program("extension/src/keeper/main.ts", "keeper.mjs"), program("kernel-bridge/src/jupyter/host/main.ts", "kernel-host.mjs")]);
}

/**
 * The program of a Node session, its second thread, and TypeScript as a file that is loaded on first use. `tsx` loads parts
 * of itself by their place, so it stays a package.
 */
async function buildSession(esbuild, define) {
  const built = join(root, "extension/dist");
  // Parts have the hash of their content in their names: those of an earlier build would stay beside them.
  for (const name of await readdir(built)) if (/^session.*\.mjs$/.test(name)) await rm(join(built, name));
  await esbuild({
    ...common,
    define,
    external: [...common.external, "tsx"],
    entryPoints: {
      session: join(root, "kernel-bridge/src/node-session/program/main.ts"),
      "session-doorman": join(root, "kernel-bridge/src/node-session/program/doorman.ts"),
    },
    outdir: built,
    outExtension: { ".js": ".mjs" },
    chunkNames: "session-[name]-[hash]",
    splitting: true,
    minifyIdentifiers: true,
    format: "esm",
    banner: requireBanner,
  });
}

/** What runs in a browser: the script of the results view, and the renderer of a cell's job. */
function buildPages(esbuild) {
  const page = (entry, name, format) =>
    esbuild({ ...common, platform: "browser", target: "es2022", entryPoints: [join(root, "extension/webview", entry)], outfile: join(root, "extension/dist", name), format, loader: { ".css": "text" } });
  return Promise.all([page("main.ts", "results.js", "iife"), page("cell/renderer.ts", "cell-renderer.js", "esm")]);
}

/**
 * The Python side in one folder: the worker, which an interpreter runs as a program (`python3 FOLDER`), and the client
 * `burla`, for scripts and for functions on workers.
 * @returns its files.
 */
async function copyPython() {
  const target = join(dist, "python");
  await rm(target, { recursive: true, force: true });
  for (const source of ["protocol/python", "services/worker/python", "kernel-bridge/python"]) {
    await cp(join(root, source), target, { recursive: true, filter: (file) => !/__pycache__|[\\/]tests?$/.test(file) });
  }
  const files = await readdir(target, { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile()).map((file) => join(file.parentPath ?? file.path, file.name));
}

/** What a client knows a cluster of its own services by: all files that they are made of. */
async function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of [...files].sort()) hash.update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}

/** The node service and the maker of images share the client of the Docker Engine, a file that is loaded on first use. */
function nodeService(define) {
  return esbuild({
    ...common,
    define,
    entryPoints: { node: join(root, "services/node/src/main.ts"), image: join(root, "services/node/src/image/main.ts") },
    outdir: join(dist, "services"),
    outExtension: { ".js": ".mjs" },
    chunkNames: "node-[hash]",
    splitting: true,
    metafile: true,
    format: "esm",
    banner: requireBanner,
    plugins: [firestoreApart("../")],
    alias: { ssh2: absent, "@grpc/grpc-js": absent, "@grpc/proto-loader": absent, protobufjs: absent },
  });
}

/** The function that restores captured values, as an expression: every bundle holds its text. */
async function restoreText() {
  const source = await readFile(join(root, "client/src/capture/restore.ts"), "utf8");
  const { code } = await transform(source, { loader: "ts", minify: true, target: common.target });
  return `(${code.trim().replace(/^export /, "").replace(/;$/, "")})`;
}

/** One declaration file for each export list, each made by a program of its own: it takes gigabytes that are not given back. */
async function buildTypes() {
  await Promise.all(DOORS.map(({ entry, name }) => typesOf(entry, name)));
}

function typesOf(entry, name) {
  const args = ["--max-old-space-size=6144", join(root, "scripts/build-types.mjs"), join(root, entry), join(dist, name)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code, signal) => (code === 0 ? resolve() : reject(new Error(`the types of ${entry} could not be made (${signal ?? code})`))));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await rm(dist, { recursive: true, force: true });
  await build({ types: !process.argv.includes("--no-types") });
}
