/** The JavaScript runners, as plain files: a loader for TypeScript would be paid for by every thread they start. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const source = join(import.meta.dirname, "../runners/js");
const target = join(import.meta.dirname, "../dist");

/** Where a runner, or another program of `runners/js`, is built to. */
export function builtRunner(name: string): string {
  return join(target, `${name}.js`);
}

/** Builds all of them; packages stay outside. */
export async function buildRunners(): Promise<void> {
  const files = readdirSync(source).filter((file) => file.endsWith(".ts"));
  await build({
    entryPoints: files.map((file) => join(source, file)),
    outdir: target,
    bundle: true,
    packages: "external",
    // Our own source, not a package: Node 20 cannot load it.
    alias: { "@burla/protocol": join(import.meta.dirname, "../../protocol/src/index.ts") },
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
  });
}
