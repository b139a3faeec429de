/** The state folder: is it there, ours, and ours alone? */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "@burla/protocol";
import { LOCAL } from "../../cluster.ts";
import { clusterDirectory, stateDirectory } from "../../local-cluster.ts";
import { bytesText } from "../texts.ts";
import { fail, ok, warn, type Check, type Finding } from "./check.ts";

const BYTES_PER_MIB = 1024 * 1024;
const MIN_FREE_BYTES = 100 * BYTES_PER_MIB;
const GOOD_FREE_BYTES = 1024 * BYTES_PER_MIB;
const OTHERS = 0o077;

export const stateChecks: readonly Check[] = [
  { name: "state folder", run: checkFolder },
  { name: "permissions", run: checkPermissions },
  { name: "disk", run: checkDisk },
];

function checkFolder(): Finding {
  const folder = stateDirectory();
  const place = existingPart(folder);
  const cure = "Set BURLA_HOME to a folder that you may write.";
  try {
    if (!statSync(place).isDirectory()) return fail(`${place} is no folder`, cure);
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return fail(`${folder} cannot be written: ${messageOf(error)}`, cure);
  }
  return ok(place === folder ? folder : `${folder} will be made`);
}

/** Whoever may read the connection file may run anything as this user. */
function checkPermissions(): Finding {
  const directory = clusterDirectory(LOCAL);
  const wrong = [
    { path: directory, wanted: "700" },
    { path: join(directory, "cluster.json"), wanted: "600" },
  ].filter(({ path }) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS) !== 0);
  if (wrong.length > 0) {
    return fail(`others may read ${wrong.map(({ path }) => path).join(" and ")}, which gives them your cluster`, wrong.map(({ path, wanted }) => `chmod ${wanted} ${path}`).join("; "));
  }
  return ok(existsSync(directory) ? "only you can read the cluster's token" : "nothing there yet");
}

function checkDisk(): Finding {
  const { bavail, bsize } = statfsSync(existingPart(stateDirectory()));
  const bytes = bavail * bsize;
  const text = `${bytesText(bytes)} free`;
  const cure = "Inputs and results of jobs are written to the state folder: make room there, or set BURLA_HOME to another disk.";
  if (bytes < MIN_FREE_BYTES) return fail(text, cure);
  return bytes < GOOD_FREE_BYTES ? warn(text, cure) : ok(text);
}

/** The folder itself, or the nearest one above it that exists. */
function existingPart(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existingPart(dirname(folder));
}
