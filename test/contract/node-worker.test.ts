/** The worker for Node, as it is built. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeValues, encodeValues } from "@burla/protocol";
import type { Behaviour } from "./worker-bench.ts";
import { workerContract } from "./worker.ts";

const CODE: Record<Behaviour, string> = {
  double: "export default () => (x) => x * 2;",
  sleep: "export default () => (ms) => new Promise((resolve) => setTimeout(resolve, ms, ms));",
  fail: 'export default () => function fail(x) { throw new TypeError("no " + x, { cause: new Error("the cause") }); };',
  print: 'export default () => (x) => { console.log("out " + x); console.error("err " + x); };',
  spawn: 'import { spawn } from "node:child_process"; export default () => () => spawn("sleep", ["1000"], { stdio: "ignore" }).pid;',
  broken: 'throw new Error("broken on purpose");',
  environment: 'export default () => () => Object.entries(process.env).filter(([name]) => /^BURLA_|^COLOUR$/.test(name)).map((pair) => pair.join("=")).sort();',
};

workerContract({
  command: [process.execPath, fileURLToPath(new URL("../../client/dist/services/worker.mjs", import.meta.url))],
  env: {},
  bundle: (behaviour, folder) => {
    const path = join(folder, "bundle.mjs");
    writeFileSync(path, CODE[behaviour]);
    return path;
  },
  encode: encodeValues,
  decode: decodeValues,
});
