/** The Docker Engine of this machine, and the image of workers on it. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** Starts the engine when there is one that can be; it stays up: `node scripts/docker/engine.mjs down` ends it. */
export async function ensureContainers(): Promise<{ version: string } | { reason: string }> {
  try {
    await run(process.execPath, [join(root, "scripts/docker/engine.mjs"), "up"]);
    await run(process.execPath, [join(root, "client/dist/cli.js"), "image"]);
    const { stdout } = await run("docker", ["version", "--format", "{{.Server.Version}}"]);
    return { version: stdout.trim() };
  } catch (error) {
    return { reason: (error as { stderr?: string }).stderr?.trim().split("\n").at(-1) ?? String(error) };
  }
}
