/** esbuild as the extension carries it: its package, and the one with the program for a platform. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packNpm, unpack, type PinnedPackage } from "../vscode/npm-pack.ts";
import { root } from "../vscode/paths.ts";

/** What esbuild's package needs to be imported. */
const PARTS = ["package.json", "LICENSE.md", "lib/main.js"];

/** Puts both into `modules`, a folder of packages. */
export async function addEsbuild(modules: string, platformPackage: string): Promise<void> {
  const source = join(root, "node_modules", "esbuild");
  for (const part of PARTS) await cp(join(source, part), join(modules, "esbuild", part));
  const destination = join(modules, platformPackage);
  const installed = join(root, "node_modules", platformPackage);
  if (existsSync(installed)) await cp(installed, destination, { recursive: true });
  else await fetch(platformPackage, destination);
  await rm(join(destination, "README.md"), { force: true });
}

/** The lock file pins the packages of all platforms. */
async function fetch(name: string, destination: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "burla-esbuild-"));
  try {
    const archive = await packNpm(await pinned(name), folder);
    await mkdir(destination, { recursive: true });
    await unpack(archive, destination, { strip: 1, only: [] });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pinned(name: string): Promise<PinnedPackage> {
  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as { packages: Record<string, { version: string; integrity: string }> };
  const entry = packages[`node_modules/${name}`];
  if (entry === undefined) throw new Error(`package-lock.json does not know ${name}`);
  return { name, version: entry.version, integrity: entry.integrity };
}
