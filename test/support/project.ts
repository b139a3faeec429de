/** A project of a user with packages in its `node_modules`, on disk. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Files } from "./registry.ts";

export class Project {
  readonly directory = mkdtempSync(join(tmpdir(), "burla-project-"));

  write(files: Files): void {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.directory, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  /** As npm leaves it. */
  install(manifest: { name: string; version: string }, files: Files): void {
    const inside = Object.entries({ ...files, "package.json": JSON.stringify(manifest) });
    this.write(Object.fromEntries(inside.map(([path, text]) => [`node_modules/${manifest.name}/${path}`, text])));
  }

  /** What a module of it exports as default. */
  async load<Value>(file: string): Promise<Value> {
    return ((await import(pathToFileURL(join(this.directory, file)).href)) as { default: Value }).default;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
