import { createRequire } from "node:module";
import type * as Esbuild from "esbuild";

/**
 * Loads esbuild, which is needed for functions with imports only. By `require`, since a test runner that evaluates
 * modules itself (Jest) has no `import()`; it gives `node:module` and with that esbuild in its own world.
 */
export function loadEsbuild(): typeof Esbuild {
  return createRequire(import.meta.url)("esbuild") as typeof Esbuild;
}
