/** The `burla` package for workers that do not see the disk: copied with what it needs, for functions that start jobs. */
import { createHash } from "node:crypto";
import { cp, mkdir, readFile } from "node:fs/promises";
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";

const manifestSchema = v.object({
  version: v.string(),
  files: v.optional(v.array(v.string())),
  dependencies: v.optional(v.record(v.string(), v.string()), {}),
  optionalDependencies: v.optional(v.record(v.string(), v.string()), {}),
});

/** The package, and all that it needs, by name. Optional packages for other systems are not there, and left out. */
function closureOf(clientPackage: string): Map<string, string> {
  const found = new Map([["burla", realpathSync(clientPackage)]]);
  for (const folder of found.values()) {
    const { dependencies, optionalDependencies } = v.parse(manifestSchema, JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const there = found.has(name) ? undefined : findFrom(folder, name);
      if (there !== undefined) found.set(name, there);
    }
  }
  return found;
}

function findFrom(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (dirname(folder) === folder) return undefined;
  }
}

/** Of this build of the package: a rebuilt one is another. */
export function hashOfClient(clientPackage: string): string {
  const hash = createHash("sha256").update("burla");
  for (const [name, folder] of closureOf(clientPackage)) {
    const main = ["dist/index.js", "package.json"].map((file) => join(folder, file)).find(existsSync) ?? folder;
    const { mtimeMs, size } = statSync(main);
    hash.update(JSON.stringify([name, folder, mtimeMs, size]));
  }
  return hash.digest("hex");
}

/** Copies what npm would install. */
export async function copyClient(clientPackage: string, folder: string): Promise<void> {
  for (const [name, source] of closureOf(clientPackage)) {
    const target = join(folder, "node_modules", name);
    await mkdir(target, { recursive: true });
    const { files } = v.parse(manifestSchema, JSON.parse(await readFile(join(source, "package.json"), "utf8")));
    const parts = name === "burla" && files !== undefined ? ["package.json", ...files] : ["."];
    for (const part of parts) {
      const from = join(source, part);
      if (existsSync(from)) await cp(from, join(target, part), { recursive: true, dereference: true, filter: (path) => !path.startsWith(join(source, "node_modules")) });
    }
  }
}
