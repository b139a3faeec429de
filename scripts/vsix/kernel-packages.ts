/** What notebooks need and no bundle can hold: ZeroMQ's addon for local Jupyter kernels, and `tsx`, by which cells import TypeScript. */
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "../vscode/paths.ts";
import { addonFor, platformOf } from "./addon.ts";

const ZEROMQ_PARTS = /^(package\.json|LICENSE(_MPL-2\.0)?\.txt|lib\/(index|load-addon|native|util|errors|draft)\.js)$/;
const LOADER_PARTS = /^(package\.json|LICENSE[^/]*|build\/loader\.js)$/;
const TSX_PARTS = /^(package\.json|LICENSE|dist\/.*\.(mjs|cjs|js))$/;

export async function addKernelPackages(modules: string, target: string): Promise<void> {
  await copyParts("tsx", modules, TSX_PARTS);
  const build = join(root, "node_modules", "zeromq", "build");
  const addon = addonFor(JSON.parse(await readFile(join(build, "manifest.json"), "utf8")) as Record<string, string>, platformOf(target));
  if (addon === null) return;
  await copyParts("zeromq", modules, ZEROMQ_PARTS);
  await copyParts("cmake-ts", modules, LOADER_PARTS);
  const destination = join(modules, "zeromq", "build");
  await mkdir(dirname(join(destination, addon.file)), { recursive: true });
  await cp(join(build, addon.file), join(destination, addon.file));
  await writeFile(join(destination, "manifest.json"), JSON.stringify({ [addon.key]: addon.file }));
}

async function copyParts(name: string, modules: string, parts: RegExp): Promise<void> {
  const source = join(root, "node_modules", name);
  const files = await readdir(source, { recursive: true });
  for (const file of files.map((path) => path.replaceAll("\\", "/"))) {
    if (parts.test(file)) await cp(join(source, file), join(modules, name, file));
  }
}
