/** The programs of the contract, in each language that workers have: a line that says what one does, then how. */

/** What the contract tries a runtime with. Each is a worker program, or part of one, and begins with its preamble. */
export interface Programs {
  /** Writes a file where it works, tells id, token and names of its variables, and exits with 0. */
  readonly introduce: string;
  /** Leaves 2,000 letters and ` the end` as its last words, and exits with 4. */
  readonly lastWords: string;
  /** Dies by SIGSEGV. */
  readonly segfault: string;
  /** Ignores SIGTERM, with a child that does the same and dials in itself; both tell that they are there. */
  readonly stubborn: string;
  /** Tells that it is there, and exits with 7 when it is asked to end. */
  readonly obliging: string;
  /** Does nothing, for ever. */
  readonly stay: string;
  /** Tells its id, and stays. */
  readonly whoAmI: string;
  /** Takes a gibibyte, little by little. */
  readonly greedy: string;
  /** Takes 32 MiB, waits a little, tells their number of bytes and exits with 0. */
  readonly modest: string;
}

/** Programs that are run as tasks: they have no preamble, and arguments. */
export interface TaskPrograms {
  /** Writes the file `made` where it works, prints `one`, prints `two` as an error, and exits with 3. */
  readonly print: string;
  /** Prints its argument. */
  readonly echo: string;
  /** Dials the socket in its argument, with a child that does the same; both ignore SIGTERM. */
  readonly stubborn: string;
}

export interface Language {
  readonly runtime: "node" | "python";
  /**
   * Every worker program begins with this: `tell(value)` sends a value to the test (in JavaScript it resolves when the
   * value is on its way), `stay()` keeps the worker.
   */
  readonly preamble: string;
  readonly programs: Programs;
  readonly tasks: TaskPrograms;
  /** The command that runs the text of a program. */
  argv(code: string, ...args: string[]): readonly [string, ...string[]];
}

const JS_CHILD = `
  process.on("SIGTERM", () => undefined);
  const socket = require("node:net").connect(process.argv[1]);
  socket.write(JSON.stringify({ workerId: "child", value: "child" }) + "\\n");
  setInterval(() => undefined, 1000);`;

export const JAVASCRIPT: Language = {
  runtime: "node",
  preamble: `
import { connect } from "node:net";
import { spawn } from "node:child_process";
const { BURLA_WORKER_SOCKET: path, BURLA_WORKER_ID: workerId } = process.env;
const socket = connect(path);
socket.on("error", () => undefined);
const tell = (value) => new Promise((resolve) => socket.write(JSON.stringify({ workerId, value }) + "\\n", () => resolve()));
const stay = () => setInterval(() => undefined, 1000);
`,
  programs: {
    introduce: `
      const { writeFileSync } = await import("node:fs");
      writeFileSync("scratch", "text");
      const names = Object.keys(process.env).filter((name) => name.startsWith("BURLA_")).sort();
      await tell([workerId, process.env.BURLA_WORKER_TOKEN, names]);
      process.exit(0);`,
    lastWords: `
      const { appendFileSync } = await import("node:fs");
      appendFileSync(process.env.BURLA_WORKER_STDERR, "x".repeat(2000) + " the end\\n");
      process.exit(4);`,
    segfault: `process.kill(process.pid, "SIGSEGV"); stay();`,
    stubborn: `process.on("SIGTERM", () => undefined); spawn(process.execPath, ["-e", ${JSON.stringify(JS_CHILD)}, path], { stdio: "ignore" }).unref(); await tell("ready"); stay();`,
    obliging: `process.on("SIGTERM", () => process.exit(7)); await tell("ready"); stay();`,
    stay: "stay();",
    whoAmI: "await tell(workerId); stay();",
    greedy: "const all = []; setInterval(() => all.length < 128 && all.push(Buffer.alloc(1 << 23, 1)), 5);",
    modest: "const b = Buffer.alloc(1 << 25, 1); setTimeout(() => tell(b.length).then(() => process.exit(0)), 350);",
  },
  tasks: {
    print: `require("node:fs").writeFileSync("made", "text"); console.log("one"); console.error("two"); process.exitCode = 3;`,
    echo: "console.log(process.argv[1]);",
    stubborn: `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(JS_CHILD)}, process.argv[1]], { stdio: "ignore" });${JS_CHILD}`,
  },
  argv: (code, ...args) => ["node", "-e", code, ...args],
};

const PYTHON_CHILD = `
import json, signal, socket, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.sendall((json.dumps({"workerId": "child", "value": "child"}) + "\\n").encode())
while True: time.sleep(1)
`;

export const PYTHON: Language = {
  runtime: "python",
  preamble: `
import json, os, signal, socket, subprocess, sys, time
path, worker_id = os.environ["BURLA_WORKER_SOCKET"], os.environ["BURLA_WORKER_ID"]
connection = socket.socket(socket.AF_UNIX)
connection.connect(path)
def tell(value): connection.sendall((json.dumps({"workerId": worker_id, "value": value}) + "\\n").encode())
def stay():
    while True: time.sleep(1)
`,
  programs: {
    introduce: `
with open("scratch", "w") as file: file.write("text")
tell([worker_id, os.environ["BURLA_WORKER_TOKEN"], sorted(name for name in os.environ if name.startswith("BURLA_"))])`,
    lastWords: `
with open(os.environ["BURLA_WORKER_STDERR"], "a") as file: file.write("x" * 2000 + " the end\\n")
sys.exit(4)`,
    segfault: "os.kill(os.getpid(), signal.SIGSEGV)\nstay()",
    stubborn: `
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", ${JSON.stringify(PYTHON_CHILD)}, path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
tell("ready")
stay()`,
    obliging: `
signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
tell("ready")
stay()`,
    stay: "stay()",
    whoAmI: "tell(worker_id)\nstay()",
    greedy: `
held = []
while len(held) < 128:
    held.append(bytearray(b"1") * (1 << 23))
    time.sleep(0.005)
stay()`,
    modest: `
held = bytearray(b"1") * (1 << 25)
time.sleep(0.35)
tell(len(held))`,
  },
  tasks: {
    print: `
import sys
with open("made", "w") as file: file.write("text")
print("one", flush=True)
print("two", file=sys.stderr)
sys.exit(3)`,
    echo: "import sys; print(sys.argv[1])",
    stubborn: `import subprocess, sys\nsubprocess.Popen([sys.executable, "-c", ${JSON.stringify(PYTHON_CHILD)}, sys.argv[1]])${PYTHON_CHILD}`,
  },
  argv: (code, ...args) => ["python3", "-c", code, ...args],
};
