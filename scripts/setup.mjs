/**
 * Installs what the project's scripts need, and only when it is missing or older than package-lock.json.
 * Needs nothing but Node and npm, so every script can begin with it: `import { ensureInstalled } from "./setup.mjs"`.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
/** Lies inside node_modules, so that whoever removes that folder removes the stamp with it. */
const stampFile = new URL("node_modules/.burla-setup", root);

/** A set-up that cannot go on: the message says what is wrong and what mends it. */
class SetupError extends Error {}

/**
 * Makes `node_modules` match package-lock.json; returns at once when it does already. When Node is too old or npm
 * fails, says so and ends the process with exit code 1: no script can go on without its packages.
 */
export function ensureInstalled() {
  try {
    requireNode();
    const wanted = fingerprint();
    if (readIfThere(stampFile) === wanted) return;
    install();
    writeFileSync(stampFile, wanted);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n${error.message}`);
    process.exit(1);
  }
}

/** The environment for Node programs of ours: extra certificates cost each of them 40 ms at its start. */
export function nodeEnvironment() {
  const environment = { ...process.env };
  delete environment.NODE_EXTRA_CA_CERTS;
  return environment;
}

function requireNode() {
  const { engines } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  const oldest = engines.node.replace(/^>=/, "");
  if (isAtLeast(process.versions.node, oldest)) return;
  throw new SetupError(
    `Node ${process.versions.node} is too old: this project needs Node ${oldest} or later.\n` +
      "Install a current version from https://nodejs.org (or with your version manager) and run the command again.",
  );
}

function isAtLeast(version, oldest) {
  const [major, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor = 0] = oldest.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** Changes with the packages and with the Node that native packages were installed for. */
function fingerprint() {
  const hash = createHash("sha256").update(readFileSync(new URL("package-lock.json", root)));
  return hash.update(`${process.platform} ${process.arch} ${process.versions.modules}`).digest("hex");
}

function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function install() {
  const startedAtMs = performance.now();
  console.error("Installing packages: npm ci (this is needed once)");
  const { command, args, shell } = npm("ci", "--no-audit", "--no-fund", "--loglevel=error");
  const { error, status, signal } = spawnSync(command, args, { cwd: root, shell, stdio: ["ignore", 2, 2] });
  if (error) throw new SetupError(`npm could not be started (${error.message}).\nIt comes with Node: install Node from https://nodejs.org and run the command again.`);
  if (status !== 0) {
    throw new SetupError(
      `npm ci failed (${signal ?? `exit code ${status}`}); its own message is above.\n` +
        "Check that npm reaches its registry (npm ping) and that the disk is not full, then run the command again.\n" +
        "If the lock file does not fit package.json, run npm install once.",
    );
  }
  console.error(`Packages are installed (${((performance.now() - startedAtMs) / 1000).toFixed(0)} s)`);
}

/** The npm that runs us, if one does: it may be another than the first one in PATH. */
function npm(...args) {
  const running = process.env.npm_execpath;
  if (running && basename(running) === "npm-cli.js") return { command: process.execPath, args: [running, ...args], shell: false };
  return { command: "npm", args, shell: process.platform === "win32" };
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) ensureInstalled();
