/** Python in containers: the image, jobs of the Python client, packages by pip. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DockerCluster } from "../support/cluster.ts";
import { PYTHON_WORKER_PROGRAM } from "../support/engine.ts";
import { runText } from "../support/run-text.ts";
import type { Facts } from "../support/scenario.ts";

const MAKE_WHEEL = `
import sys, zipfile
name = "burla_test_wheel"
with zipfile.ZipFile(f"{sys.argv[1]}/{name}-1.0.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}.py", "def say(x): return f'wheel {x}'\\n")
    info = f"{name}-1.0.0.dist-info"
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0.0\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", f"{name}.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
`;

export interface PythonWorld {
  readonly cluster: DockerCluster;
  readonly directory: string;
  /** Runs a program with the client; what it printed. */
  run(program: string): Promise<string>;
}

export async function openPythonWorld(): Promise<PythonWorld> {
  const directory = mkdtempSync(join(tmpdir(), "burla-python-"));
  const [wheels, site] = [join(directory, "wheels"), join(directory, "site-packages")];
  mkdirSync(wheels);
  execFileSync("python3", ["-c", MAKE_WHEEL, wheels]);
  execFileSync("python3", ["-m", "pip", "install", "-q", "--no-index", "--find-links", wheels, "--target", site, "burla-test-wheel"]);
  const cluster = new DockerCluster({
    containers: { kinds: [{ runtime: "node" }, { runtime: "python" }], scratchMiB: 64 }, groups: [{ name: "y", count: 1, cpu: 1, ramMiB: 512 }],
  });
  Object.assign(process.env, { BURLA_HOME: cluster.home, PIP_NO_INDEX: "1", PIP_FIND_LINKS: wheels });
  await cluster.start();
  const run = async (program: string) => {
    const file = join(directory, "program.py");
    writeFileSync(file, program);
    return runText("python3", [file], { ...process.env, PYTHONPATH: `${PYTHON_WORKER_PROGRAM}:${site}` });
  };
  return { cluster, directory, run };
}

export async function closePythonWorld({ cluster, directory }: PythonWorld): Promise<void> {
  for (const name of ["PIP_NO_INDEX", "PIP_FIND_LINKS"]) Reflect.deleteProperty(process.env, name);
  await cluster.dispose();
  rmSync(directory, { recursive: true, force: true });
}

export interface PythonScenario {
  readonly name: string;
  readonly run: (world: PythonWorld) => Promise<Facts>;
}

const works: PythonScenario = {
  name: "a Python job runs in containers, as nobody and without a network",
  run: async (world) => {
    const said = await world.run(`
from burla import remote_parallel_map
def where(x):
    import os, socket
    return (x * 2, os.getuid(), socket.gethostname(), sorted(os.listdir("/sys/class/net")))
results = sorted(remote_parallel_map(where, range(20)))
print([r[0] for r in results] == [2 * x for x in range(20)], {r[1] for r in results}, {tuple(r[3]) for r in results}, socket_of_client := __import__("socket").gethostname() in {r[2] for r in results})
`);
    assert.equal(said.trim(), "True {65534} {('lo',)} False");
    return { inputs: 20, said: said.trim() };
  },
};

const packages: PythonScenario = {
  name: "Python packages of a job are installed by pip for the image, once",
  run: async (world) => {
    const program = `
from burla import remote_parallel_map
import burla_test_wheel
print(sorted(remote_parallel_map(lambda x: burla_test_wheel.say(x), range(3))))
`;
    for (let time = 0; time < 2; time++) {
      assert.equal((await world.run(program)).trim(), "['wheel 0', 'wheel 1', 'wheel 2']");
      await world.cluster.ready();
    }
    const sets = readdirSync(join(world.cluster.directory, "nodes", "y-1", "packages"));
    assert.equal(sets.length, 1);
    return { sets: sets.length };
  },
};

const memory: PythonScenario = {
  name: "a Python call that takes more memory than its container has is told so",
  run: async (world) => {
    const said = await world.run(`
from burla import remote_parallel_map, BurlaError
def greedy(x):
    held = []
    while x == 1: held.append(bytearray(1 << 24))
    return x
try:
    list(remote_parallel_map(greedy, [0, 1], ram="128 MiB"))
except BurlaError as error:
    print(error.code, "128 MiB" in str(error))
`);
    assert.equal(said.trim(), "BURLA_OUT_OF_MEMORY True");
    return { said: said.trim() };
  },
};

const nested: PythonScenario = {
  name: "a Python function in a container starts a job of its own",
  run: async (world) => {
    const said = await world.run(`
from burla import remote_parallel_map
def outer(x):
    from burla import remote_parallel_map as inner_map
    return sum(inner_map(lambda y: x * y, [1, 2, 3]))
print(sorted(remote_parallel_map(outer, range(4))))
`);
    assert.equal(said.trim(), "[0, 6, 12, 18]");
    return { said: said.trim() };
  },
};

export const PYTHON: readonly PythonScenario[] = [works, packages, memory, nested];
