import { BurlaError, messageOf } from "@burla/protocol";
import type * as Esbuild from "esbuild";
import { ownRequire } from "../own-files.ts";

/**
 * Loads esbuild, which is needed for functions with imports only. By `require`, since a test runner that evaluates
 * modules itself (Jest) has no `import()`; it gives `node:module` and with that esbuild in its own world.
 */
export function loadEsbuild(): typeof Esbuild {
  return ownRequire()("esbuild") as typeof Esbuild;
}

/** Runs esbuild. Throws what it finds wrong with the code as it is; BurlaError when esbuild itself does not run. */
export async function withEsbuild<Result>(use: (esbuild: typeof Esbuild) => Promise<Result>): Promise<Result> {
  try {
    return await use(loadEsbuild());
  } catch (cause) {
    if (Array.isArray((cause as Partial<Esbuild.BuildFailure>).errors)) throw cause;
    const [reason = ""] = messageOf(cause).trim().split("\n");
    throw new BurlaError("BURLA_CAPTURE", `esbuild, which bundles what a function imports, does not run: ${reason}`, {
      cause,
      cure: "Install it again: remove node_modules, then npm install, with optional dependencies. `burla doctor` checks it.",
    });
  }
}
