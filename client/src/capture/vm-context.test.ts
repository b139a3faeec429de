import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import type * as CaptureModule from "./index.ts";

/** The capture as a test runner that has a `vm` context for each file (Jest) evaluates it: with globals of its own. */
async function captureInContext(): Promise<{ context: object; capture: typeof CaptureModule }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("index.ts", import.meta.url))],
    bundle: true, write: false, platform: "node", format: "cjs", external: ["esbuild"], logLevel: "silent",
    define: { "import.meta.url": JSON.stringify(import.meta.url) },
  });
  const module = { exports: {} };
  const context = createContext({ process, Buffer, URL, console, Uint8Array, ArrayBuffer, performance, module, require: createRequire(import.meta.url) });
  runInContext(outputFiles[0]?.text ?? "", context);
  return { context, capture: module.exports as typeof CaptureModule };
}

test("functions of a context of their own are captured there", async () => {
  const { context, capture } = await captureInContext();
  const fn = runInContext("const factor = new Map([['a', 3]]); const { basename } = require('node:path'); (x) => basename(x) + factor.get('a')", context) as () => unknown;
  const captured = capture.captureFunction(fn);
  const bundle = await capture.bundleCapture(captured);
  const { default: restore } = (await import(`data:text/javascript,${encodeURIComponent(Buffer.from(bundle.code).toString())}`)) as { default: (values: Uint8Array) => Promise<(x: string) => string> };
  assert.equal((await restore(captured.values))("/a/b"), "b3");
});
