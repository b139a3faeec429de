/** Control groups, where nothing has mounted them: on small virtual machines whose first process is no init system. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";

const ROOT = "/sys/fs/cgroup";

/** Whether any hierarchy is mounted, and with version 1 each that is in use: without one, the engine misses its events. */
export function hasCgroups() {
  const mounts = mounted();
  return mounts.length > 0 && unmounted(mounts).length === 0;
}

/** Mounts what is missing: version 2 where it has a controller of memory, else version 1. */
export function mountCgroups() {
  mkdirSync(ROOT, { recursive: true });
  const mounts = mounted();
  if (mounts.length > 0) {
    for (const controllers of unmounted(mounts)) mountV1(controllers);
    return;
  }
  if (mount("cgroup2", "none", ROOT)) {
    if (/\bmemory\b/.test(readFileSync(`${ROOT}/cgroup.controllers`, "utf8"))) return;
    spawnSync("umount", [ROOT]);
  }
  mount("tmpfs", "cgroup", ROOT, "mode=755");
  const enabled = readFileSync("/proc/cgroups", "utf8").split("\n").slice(1).map((line) => line.split("\t")).filter(([name, , , on]) => name && on === "1");
  for (const [name] of enabled) mountV1(name);
}

function mounted() {
  return readFileSync("/proc/mounts", "utf8").split("\n").map((line) => line.split(" ")).filter(([, , type]) => type === "cgroup" || type === "cgroup2");
}

/** Hierarchies of version 1 that this process is in and that are mounted nowhere. */
function unmounted(mounts) {
  const there = new Set(mounts.flatMap(([, , type, options = ""]) => (type === "cgroup" ? options.split(",") : [])));
  return readFileSync("/proc/self/cgroup", "utf8")
    .split("\n")
    .map((line) => line.split(":")[1] ?? "")
    .filter((controllers) => controllers !== "" && !controllers.startsWith("name=") && !there.has(controllers.split(",")[0] ?? ""));
}

function mountV1(controllers) {
  const folder = `${ROOT}/${controllers}`;
  mkdirSync(folder, { recursive: true });
  if (!mount("cgroup", "cgroup", folder, controllers)) rmdirSync(folder);
}

function mount(type, source, target, options) {
  return spawnSync("mount", ["-t", type, ...(options === undefined ? [] : ["-o", options]), source, target]).status === 0;
}
