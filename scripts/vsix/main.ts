/** Writes `burla-<platform>-<version>.vsix` from what is built. `--target` names another platform, `--out` a folder. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../vscode/paths.ts";
import { run } from "../vscode/run.ts";
import { stage } from "./stage.ts";
import { ownTarget, TARGETS } from "./targets.ts";

const { values } = parseArgs({ options: { target: { type: "string", default: ownTarget() }, out: { type: "string", default: "." } } });
try {
  await packageExtension(values.target, resolve(root, values.out));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function packageExtension(target: string, out: string): Promise<void> {
  const platformPackage = TARGETS[target];
  if (platformPackage === undefined) throw new Error(`There is no platform ${target}: choose one of ${Object.keys(TARGETS).join(", ")}.`);
  const folder = await mkdtemp(join(tmpdir(), "burla-vsix-"));
  try {
    const { version, repository } = await stage(folder, target, platformPackage);
    await mkdir(out, { recursive: true });
    const file = join(out, `burla-${target}-${version}.vsix`);
    const vsce = join(root, "node_modules", "@vscode", "vsce", "vsce");
    const pages = repository === undefined ? ["--allow-missing-repository", "--no-rewrite-relative-links"] : [];
    const options = ["--no-dependencies", ...pages, "--target", target, "--out", file];
    await run(process.execPath, [vsce, "package", ...options], { cwd: folder });
    console.log(relative(process.cwd(), file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
