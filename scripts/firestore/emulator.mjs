/**
 * Google's emulator of Firestore, for tests and for trying the queue out: `node scripts/firestore/emulator.mjs [port]`
 * runs it until Ctrl-C. Data is in its memory, and gone with it.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const PACKAGE = "google-cloud-cli-firestore-emulator";
const JAVA_PACKAGE = "default-jre-headless";
/** Where the package of Google Cloud's command line puts it, on Debian and by its own installer. */
const FOLDERS = ["/usr/lib/google-cloud-sdk", "/usr/share/google-cloud-sdk", "/opt/google-cloud-sdk", `${process.env.HOME ?? ""}/google-cloud-sdk`];
const JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar";
/** The class that the shell script beside the jar starts: to end that script leaves the emulator running. */
const MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore";
/** Left to itself, it takes a quarter of the machine's memory, and as much again beside the heap. */
const HEAP = "-Xmx1g";
const START_TIMEOUT_MS = 60_000;
const HOST = "127.0.0.1";

/** What keeps the emulator from running, with what mends it. */
export class EmulatorError extends Error {}

/** @returns the path of the jar, or undefined. The variable FIRESTORE_EMULATOR_JAR names another. */
export function findJar() {
  const { FIRESTORE_EMULATOR_JAR: named } = process.env;
  return [...(named ? [named] : []), ...FOLDERS.map((folder) => `${folder}/${JAR}`)].find((path) => existsSync(path));
}

/** Installs what is missing where that is possible without a question. @throws EmulatorError */
export function ensureInstalled() {
  const missing = [...(findJar() === undefined ? [PACKAGE] : []), ...(hasJava() ? [] : [JAVA_PACKAGE])];
  if (missing.length === 0) return;
  if (process.getuid?.() === 0) {
    const installed = spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...missing], { stdio: ["ignore", "inherit", "inherit"] });
    if (installed.status === 0 && findJar() !== undefined && hasJava()) return;
  }
  throw new EmulatorError(
    `The Firestore emulator cannot run: ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing.\n` +
      "Install it with `gcloud components install cloud-firestore-emulator`, or from Google Cloud's apt repository, with a Java of version 11 or later;\n" +
      "or name its jar in the variable FIRESTORE_EMULATOR_JAR.",
  );
}

function hasJava() {
  return spawnSync("java", ["-version"], { stdio: "ignore" }).status === 0;
}

/**
 * Starts it on a free port, or on `port`. @returns `{ host, pid, stop }`; `stop` resolves when it has ended.
 * @throws EmulatorError
 */
export async function startEmulator(port) {
  ensureInstalled();
  const chosen = port ?? (await freePort());
  const args = [HEAP, "-XX:+UseSerialGC", "-Duser.language=en", "-cp", findJar(), MAIN_CLASS, "start", `--host=${HOST}`, `--port=${chosen}`, "--database-mode=firestore-native"];
  // It is no program of a cluster, whatever state folder this process uses.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("BURLA_")));
  const child = spawn("java", args, { stdio: ["ignore", "pipe", "pipe"], env });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await isRunning(child);
  } catch (error) {
    kill();
    throw error;
  }
  const stop = async () => {
    process.off("exit", kill);
    // It keeps nothing, and an orderly end would wait for its clients.
    kill();
    await ended;
  };
  return { host: `${HOST}:${chosen}`, pid: child.pid, stop };
}

/** Resolves when it says that it runs. */
function isRunning(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why) => {
      clearTimeout(timer);
      reject(new EmulatorError(`The Firestore emulator did not start: ${why}\n${said.slice(-2000)}`));
    };
    const timer = setTimeout(() => fail(`it took longer than ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
    const hear = (text) => {
      said += text;
      if (!/running/i.test(said)) return;
      clearTimeout(timer);
      resolve();
      // Whoever hears no more must not fill the pipe.
      said = "";
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => fail(`it ended with ${signal ?? code}`));
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, HOST, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { host } = await startEmulator(process.argv[2] === undefined ? undefined : Number(process.argv[2]));
    console.log(`export FIRESTORE_EMULATOR_HOST=${host}`);
  } catch (error) {
    if (!(error instanceof EmulatorError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
