/** Lays out the folder that becomes a `.vsix`: nothing that is not named here gets into it. */
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../vscode/paths.ts";
import { addEsbuild } from "./esbuild-package.ts";
import { addKernelPackages } from "./kernel-packages.ts";
import { publishedPage } from "./page.ts";

/** They make our repository work, not the extension. */
const REPOSITORY_FIELDS = ["private", "workspaces", "scripts", "devDependencies", "overrides", "type"];
/** The picture of the repository's README, and what `icon.png` is drawn from. */
const UNUSED_MEDIA = ["demo.svg", "icon.svg"];
/** Of the package `burla`, the parts that nobody needs while a job runs. The command line is one by which a Python kernel starts a cluster. */
const UNUSED_CLIENT_PARTS = /\.d\.c?ts$|\.map$/;

export interface Manifest {
  readonly version: string;
  readonly [field: string]: unknown;
}

/** For pip, which installs from the package itself. */
const FOR_PIP = /[\\/]python[\\/]pyproject\.toml$/;

/** @returns the manifest as it is published. */
export async function stage(folder: string, target: string, platformPackage: string): Promise<Manifest> {
  const manifest = await publishedManifest();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  for (const page of ["README.md", "CHANGELOG.md"]) {
    const text = await readFile(join(root, "extension", page), "utf8");
    await writeFile(join(folder, page), publishedPage(text, manifest["repository"] !== undefined));
  }
  await copyMedia(folder);
  await copyPrograms(folder);
  const modules = join(folder, "extension", "dist", "node_modules");
  await copyClient(join(modules, "burla"));
  await addEsbuild(modules, platformPackage);
  await addKernelPackages(modules, target);
  return manifest;
}

async function publishedManifest(): Promise<Manifest> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Manifest;
  for (const field of REPOSITORY_FIELDS) Reflect.deleteProperty(manifest, field);
  return manifest;
}

async function copyMedia(folder: string): Promise<void> {
  for (const name of await readdir(join(root, "media"))) {
    if (!UNUSED_MEDIA.includes(name)) await cp(join(root, "media", name), join(folder, "media", name), { recursive: true });
  }
}

/** The package `burla`: it runs jobs, and a user's function on a worker may import it. */
async function copyClient(folder: string): Promise<void> {
  await cp(join(root, "client", "package.json"), join(folder, "package.json"));
  for (const part of await readdir(join(root, "client", "dist"))) {
    if (!UNUSED_CLIENT_PARTS.test(part)) await cp(join(root, "client", "dist", part), join(folder, "dist", part), { recursive: true, filter: (file) => !FOR_PIP.test(file) });
  }
}

/** The built code of the extension and of its webviews. */
async function copyPrograms(folder: string): Promise<void> {
  const built = join(root, "extension", "dist");
  for (const name of await readdir(built)) {
    if (name !== "node_modules") await cp(join(built, name), join(folder, "extension", "dist", name), { recursive: true });
  }
}
