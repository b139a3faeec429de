/** Is this installation whole? */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "@burla/protocol";
import { loadEsbuild } from "../../capture/index.ts";
import { PNP_CURE } from "../../own-files.ts";
import { VERSION } from "../../version.ts";
import { fail, ok, warn, type Check } from "./check.ts";

const MIN_NODE = [20, 19] as const;
const PARTS = ["index.js", "index.cjs", "services/main.mjs", "services/node.mjs", "services/worker.mjs"];

export const programChecks: readonly Check[] = [
  { name: "Node.js", run: checkNode },
  { name: "package", run: checkPackage },
  { name: "Yarn", run: checkYarn },
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

/** The project that the command is given in decides, also when the command itself runs without its loader. */
function checkYarn() {
  const file = process.versions["pnp"] === undefined ? fileAbove(process.cwd(), ".pnp.cjs") : "this program";
  if (file === undefined) return ok("packages lie in folders");
  return warn(`Yarn's Plug'n'Play (${file}) keeps packages in archives`, PNP_CURE);
}

function fileAbove(folder: string, name: string): string | undefined {
  if (existsSync(join(folder, name))) return join(folder, name);
  return dirname(folder) === folder ? undefined : fileAbove(dirname(folder), name);
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
