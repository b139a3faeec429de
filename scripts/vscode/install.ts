/**
 * Puts a whole VS Code server with its web workbench into `.cache/vscode`, out of npm packages alone, with a Node of its
 * own; and Chromium, which is its window. Does nothing when they are there.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureChromium } from "./chromium.ts";
import { packNpm, unpack } from "./npm-pack.ts";
import { root, vscodeHome } from "./paths.ts";
import { run } from "./run.ts";
import { CODE_SERVER, NODE } from "./versions.ts";

/** 270 MB and five compiled addons that only chat agents, containers, Kerberos and Windows need. */
const UNUSED_PACKAGES = [
  "@devcontainers/cli", "@github/copilot-sdk", "@microsoft/mxc-sdk", "@vscode/copilot-api", "@vscode/sandbox-runtime",
  "@vscode/sqlite3", "@vscode/windows-process-tree", "@vscode/windows-registry", "kerberos", "ssh2",
];
/** Others stay: the workbench names most of them in its own code. */
const UNUSED_EXTENSIONS = ["copilot", "github", "microsoft-authentication", "tunnel-forwarding"];

const spdlog = fileURLToPath(new URL("spdlog.cjs", import.meta.url));

/** @throws Error that says what is missing and what mends it. */
export async function ensureVscode(): Promise<void> {
  await ensureChromium();
  const wanted = await fingerprint();
  const stamp = join(vscodeHome, "stamp");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  const startedMs = performance.now();
  console.error("Installing VS Code for the tests: 100 MB from npm (this is needed once)");
  const folder = `${vscodeHome}.part-${process.pid}`;
  try {
    await install(folder);
    await writeFile(join(folder, "stamp"), wanted);
    await rm(vscodeHome, { recursive: true, force: true });
    await rename(folder, vscodeHome);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.error(`VS Code is installed (${((performance.now() - startedMs) / 1000).toFixed(0)} s)`);
}

/** Changes with whatever decides what is installed. */
async function fingerprint(): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([CODE_SERVER, nodePackage()]));
  for (const file of [spdlog, fileURLToPath(import.meta.url)]) hash.update(await readFile(file));
  return hash.digest("hex");
}

function nodePackage() {
  const found = process.platform === "linux" ? NODE[process.arch] : undefined;
  if (found !== undefined) return found;
  throw new Error(
    `The VS Code of these tests runs on Linux (x64, arm64), and this is ${process.platform} ${process.arch}.\n` +
      "Set VSCODE_EXECUTABLE to an installed VS Code to run the suite `extension` in it.",
  );
}

async function install(folder: string): Promise<void> {
  const server = join(folder, "server");
  const node = join(folder, "node");
  const archives = join(folder, "archives");
  for (const created of [server, node, archives]) await mkdir(created, { recursive: true });
  const [code, runtime] = await Promise.all([packNpm(CODE_SERVER, archives), packNpm(nodePackage(), archives)]);
  await unpack(code, server, { strip: 3, only: ["package/lib/vscode"] });
  await unpack(runtime, node, { strip: 1, only: ["package/bin"] });
  await rm(archives, { recursive: true });

  for (const name of UNUSED_EXTENSIONS) await rm(join(server, "extensions", name), { recursive: true, force: true });
  await edit(join(server, "package.json"), ({ dependencies }) => {
    for (const name of UNUSED_PACKAGES) Reflect.deleteProperty(dependencies as object, name);
  });
  // Absent, a public marketplace would be asked. Nothing else may go: the code relies on the presence of some keys.
  await edit(join(server, "product.json"), (product) => Object.assign(product, { enableTelemetry: false, extensionsGallery: {} }));
  const env = { ...process.env, PATH: join(node, "bin") + delimiter + (process.env["PATH"] ?? "") };
  // The extensions' one package is TypeScript. Versions are pinned by the lists that come with both.
  for (const cwd of [server, join(server, "extensions")]) {
    await run("npm", ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd, env });
  }
  await keepOwnBinaries(join(server, "node_modules"));
  await replaceAddons(join(server, "node_modules", "@vscode"));
}

async function edit(file: string, change: (json: Record<string, unknown>) => void): Promise<void> {
  const json = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  change(json);
  await writeFile(file, JSON.stringify(json, null, 2));
}

/** Two packages bring the binaries of every platform. */
async function keepOwnBinaries(modules: string): Promise<void> {
  for (const folder of ["@vscode/ripgrep-universal/bin", "node-pty/prebuilds"].map((path) => join(modules, path))) {
    if (!existsSync(folder)) continue;
    for (const name of await readdir(folder)) {
      if (name !== `linux-${process.arch}`) await rm(join(folder, name), { recursive: true });
    }
  }
}

/** Two addons would need a compiler: log files are written by a few lines of our own, and nobody here needs a watchdog. */
async function replaceAddons(modules: string): Promise<void> {
  await copyFile(spdlog, join(modules, "spdlog", "index.js"));
  await writeFile(join(modules, "native-watchdog", "index.js"), "exports.start = () => {};\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(join(root, ".cache"), { recursive: true });
  await ensureVscode().catch((error: Error) => {
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  });
}
