/** Is this installation whole? */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { messageOf } from "@burla/protocol";
import { loadEsbuild } from "../../capture/index.ts";
import { VERSION } from "../../version.ts";
import { fail, ok, type Check } from "./check.ts";

const MIN_NODE = [20, 19] as const;
const PARTS = ["index.js", "index.cjs", "services/main.mjs", "services/node.mjs", "services/worker.mjs"];

export const programChecks: readonly Check[] = [
  { name: "Node.js", run: checkNode },
  { name: "package", run: checkPackage },
  { name: "esbuild", run: checkEsbuild },
];

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const text = `${process.versions.node} (${process.platform} ${process.arch})`;
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return ok(text);
  return fail(`${text} is too old`, `Install Node.js ${MIN_NODE.join(".")} or later.`);
}

/** The command is built into the same folder as everything that it starts. */
function checkPackage() {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const missing = PARTS.filter((part) => !existsSync(new URL(part, import.meta.url)));
  if (missing.length === 0) return ok(`burla ${VERSION} in ${folder}`);
  return fail(`${missing.join(", ")} not in ${folder}`, "Install the package again: npm install burla. In the repository: npm run build.");
}

async function checkEsbuild() {
  try {
    const { transform, version } = loadEsbuild();
    const startedMs = performance.now();
    await transform("const one: number = 1;", { loader: "ts" });
    return ok(`${version}, answers in ${Math.round(performance.now() - startedMs)} ms`);
  } catch (error) {
    const [message = ""] = messageOf(error).trim().split("\n");
    return fail(message, "Its program for this platform is missing or cannot run: remove node_modules and run npm install here, with optional dependencies.");
  }
}
