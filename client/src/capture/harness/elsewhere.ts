/** For tests: folders with files in them, and functions that run from their bundle in a process of its own. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleCapture, type Bundle } from "../bundle.ts";
import { captureFunction, type Capture, type CaptureOptions } from "../capture.ts";

export type AnyFunction = (...args: never[]) => unknown;

/** A new folder with these files. */
export function folder(files: Record<string, string> = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "burla-bundle-")));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

/** What a file in it exports. */
export async function load<Exports>(root: string, file: string): Promise<Exports> {
  return (await import(pathToFileURL(join(root, file)).href)) as Exports;
}

/** Loads the bundle as a worker does, in a process of its own, and gives what it prints. */
export function runElsewhere(capture: Capture, bundle: Bundle, input: unknown): string {
  const root = folder({
    "run.mjs": `import { readFileSync } from "node:fs";
      process.setSourceMapsEnabled(true);
      const { default: restore } = await import("./bundle.mjs");
      const fn = await restore(new Uint8Array(readFileSync("values")));
      try { process.stdout.write(String(await fn(${JSON.stringify(input)}))); } catch (error) { process.stdout.write(error.stack); }`,
  });
  writeFileSync(join(root, "bundle.mjs"), bundle.code);
  writeFileSync(join(root, "values"), capture.values);
  for (const { name, directory } of bundle.externals) {
    mkdirSync(dirname(join(root, "node_modules", name)), { recursive: true });
    symlinkSync(directory, join(root, "node_modules", name));
  }
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined, NODE_OPTIONS: undefined };
  return execFileSync(process.execPath, ["run.mjs"], { cwd: root, env, encoding: "utf8" });
}

/** What the function gives for the input in another process, as text; of an error its stack. */
export async function there(fn: AnyFunction, input: unknown, options: CaptureOptions): Promise<string> {
  const capture = captureFunction(fn, options);
  return runElsewhere(capture, await bundleCapture(capture), input);
}
