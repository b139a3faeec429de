/** A bundle in a folder from which Node can import it. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Bundle } from "./bundle.ts";
import { ownFile } from "../own-files.ts";

/** Writes the bundle with the packages that it imports beside it, as links. @returns the path of its module. */
export async function writeBundle(bundle: Bundle, folder: string): Promise<string> {
  const packages = [{ name: "burla", directory: ownFile("..") }, ...bundle.externals];
  for (const { name, directory } of packages) {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(directory, link, "junction").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
  const path = join(folder, "bundle.mjs");
  await writeFile(path, bundle.code);
  return path;
}
