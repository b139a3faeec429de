/** The browser that is the window of the tests' VS Code. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
/** Text of the workbench is drawn with what the machine has: on a bare one, that is nothing. */
const PACKAGES = ["chromium", "fonts-dejavu-core"];
/** Another program may be installing something. */
const LOCK_WAIT = "DPkg::Lock::Timeout=300";

/** @throws Error when there is none. */
export function chromiumExecutable(): string {
  const found = findChromium();
  if (found === undefined) throw new Error("There is no Chromium: run `npm test -- browser` once, or set CHROMIUM to its program.");
  return found;
}

/** Installs Debian's package when there is no Chromium. @throws Error that says what mends it. */
export async function ensureChromium(): Promise<void> {
  if (findChromium() !== undefined) return;
  const cure = "Install it (on Debian and Ubuntu: apt-get install chromium), or set CHROMIUM to the program of any Chromium or Chrome.";
  if (process.getuid?.() !== 0) throw new Error(`The tests of the extension need Chromium, and installing it needs root.\n${cure}`);
  const startedMs = performance.now();
  console.error("Installing Chromium: apt-get install chromium, 113 MB (this is needed once)");
  apt(["update"], cure);
  apt(["install", "-y", "--no-install-recommends", ...PACKAGES], cure);
  if (findChromium() === undefined) throw new Error(`apt-get brought no program named ${NAMES.join(" or ")}.\n${cure}`);
  console.error(`Chromium is installed (${((performance.now() - startedMs) / 1000).toFixed(0)} s)`);
}

function findChromium(): string | undefined {
  const named = process.env["CHROMIUM"];
  if (named !== undefined && named !== "") return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function apt(args: string[], cure: string): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { error, status, stderr } = spawnSync("apt-get", ["-qq", "-o", LOCK_WAIT, ...args], { env, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (error === undefined && status === 0) return;
  throw new Error(`apt-get ${args[0] ?? ""} failed: ${(error?.message ?? stderr).trim()}\n${cure}`);
}
