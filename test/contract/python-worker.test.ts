/** The worker for Python, as it is built. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInterpreter, pythonEnvironment } from "../../scripts/python/interpreters.ts";
import type { Behaviour } from "./worker-bench.ts";
import { workerContract } from "./worker.ts";

const interpreter = ensureInterpreter();
const env = pythonEnvironment(interpreter);

const CODE: Record<Behaviour, string> = {
  double: "f = lambda x: x * 2",
  sleep: "import time\ndef f(ms):\n    time.sleep(ms / 1000)\n    return ms",
  fail: 'def fail(x): raise TypeError(f"no {x}") from ValueError("the cause")\nf = fail',
  print: 'import sys\ndef f(x):\n    print("out", x)\n    print("err", x, file=sys.stderr)',
  spawn: 'import subprocess\ndef f(x): return subprocess.Popen(["sleep", "1000"]).pid',
  broken: 'def refuse(): raise RuntimeError("broken on purpose")\nclass F:\n    def __call__(self, x): pass\n    def __reduce__(self): return refuse, ()\nf = F()',
  environment: 'import os\ndef f(x): return sorted(f"{k}={v}" for k, v in os.environ.items() if (k.startswith("BURLA_WORKER") and k != "BURLA_WORKER_BUNDLE") or k == "COLOUR")', // processes that a call starts find its functions by that one
};

/** Runs a piece of Python over bytes. */
function python(code: string, input: Uint8Array, ...args: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync(interpreter.command, ["-c", code, ...args], { input, maxBuffer: 1 << 28, env: { ...process.env, ...env } });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

workerContract({
  command: [interpreter.command, fileURLToPath(new URL("../../client/dist/python", import.meta.url))],
  env: { ...env, PYTHONPATH: interpreter.path },
  bundle: (behaviour, folder) => {
    const path = join(folder, "bundle");
    python(`import sys; from burla.capture import capture\n${CODE[behaviour]}\nopen(sys.argv[1], "wb").write(capture(f, same_machine=True)[0].code)`, new Uint8Array(0), path);
    return path;
  },
  encode: (values) => python("import json, pickle, sys; sys.stdout.buffer.write(pickle.dumps(json.load(sys.stdin)))", Buffer.from(JSON.stringify(values))),
  decode: (bytes) => JSON.parse(python("import json, pickle, sys; json.dump(pickle.load(sys.stdin.buffer), sys.stdout)", bytes).toString()) as unknown[],
});
