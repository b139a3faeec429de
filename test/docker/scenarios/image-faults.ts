/** What may happen to an engine while the image of workers is made. Each scenario has engines of its own. */
import assert from "node:assert/strict";
import Docker from "dockerode";
import { fileURLToPath } from "node:url";
import { PrivateEngine } from "../../../scripts/docker/private-engine.mjs";
import { removeSteps } from "../../../services/node/src/image/build.ts";
import { EngineDoor, type Passed } from "../support/engine-door.ts";
import { ensureWorkerImage, WORKER_IMAGE } from "../support/engine.ts";
import { runText } from "../support/run-text.ts";
import type { Facts } from "../support/scenario.ts";

const CLI = fileURLToPath(new URL("../../../client/dist/cli.js", import.meta.url));
const DERIVED = "burla-test-derived:2";
/** The image is more than a hundred MiB. */
const HALF_BYTES = 40 * 1024 * 1024;
const SMALL_DISK_MIB = 64;

export interface ImageScenario {
  readonly name: string;
  readonly run: () => Promise<Facts>;
}

/** Runs `burla image`, which fails. @returns what it says. */
async function refusalOf(host: string, ...args: string[]): Promise<string> {
  const made = runText(process.execPath, [CLI, "image", ...args], { ...process.env, DOCKER_HOST: host });
  const { stderr } = await made.then(() => assert.fail("it was made"), (failed: { stderr: string }) => failed);
  return stderr.trim();
}

async function make(host: string, ...args: string[]): Promise<{ made: boolean }> {
  return JSON.parse(await runText(process.execPath, [CLI, "image", "--json", ...args], { ...process.env, DOCKER_HOST: host })) as { made: boolean };
}

/** What is on an engine: containers, running or not, and images that have a name. */
async function on(docker: Docker): Promise<{ containers: number; images: string[] }> {
  const images = (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => name !== "<none>:<none>");
  return { containers: (await docker.listContainers({ all: true })).length, images: images.sort() };
}

async function withEngine(dataMiB: number | undefined, body: (engine: PrivateEngine, docker: Docker) => Promise<Facts>): Promise<Facts> {
  const engine = new PrivateEngine(dataMiB);
  try {
    await engine.start();
    return await body(engine, new Docker({ socketPath: engine.socketPath }));
  } finally {
    await engine.dispose();
  }
}

/** Makes an image; the engine is killed when this holds, and started again afterwards. @returns what the maker was told. */
async function killedWhen(engine: PrivateEngine, isSo: (passed: Passed) => boolean, ...args: string[]): Promise<string> {
  let killed: Promise<void> | undefined;
  const door = new EngineDoor(engine.socketPath, (passed) => {
    if (isSo(passed)) killed ??= engine.stop("SIGKILL");
  });
  try {
    const said = await refusalOf(await door.open(), ...args);
    assert.ok(killed !== undefined, `the engine was not killed: ${said}`);
    await killed;
    await engine.start();
    assert.match(said, /the Docker Engine went away while the image was made.*Start it, and make the image again/s);
    return said;
  } finally {
    door.close();
  }
}

const uploading: ImageScenario = {
  name: "the engine is killed while the image is uploaded: it is said, nothing is left, and it is made again",
  run: () => withEngine(undefined, async (engine, docker) => {
    const said = await killedWhen(engine, ({ sentBytes }) => sentBytes > HALF_BYTES);
    assert.deepEqual(await on(docker), { containers: 0, images: [] });
    assert.equal((await make(engine.host)).made, true);
    assert.deepEqual(await on(docker), { containers: 0, images: [WORKER_IMAGE] });
    return { said };
  }),
};

const building: ImageScenario = {
  name: "the engine is killed in the middle of a build upon another image: it is said, nothing is left, and it is built again",
  run: () => withEngine(undefined, async (engine, docker) => {
    await ensureWorkerImage(docker);
    const args = ["--from", WORKER_IMAGE, "--name", DERIVED];
    const said = await killedWhen(engine, ({ received }) => received.includes("Step 2/"), ...args);
    assert.deepEqual((await on(docker)).images, [WORKER_IMAGE]);
    assert.deepEqual(await docker.listContainers(), [], "nothing runs");
    await removeSteps(docker, 0);
    assert.equal((await on(docker)).containers, 0, "nor is anything left of it");
    assert.equal((await make(engine.host, ...args)).made, true);
    assert.deepEqual(await on(docker), { containers: 0, images: [DERIVED, WORKER_IMAGE].sort() });
    return { said };
  }),
};

const step: ImageScenario = {
  name: "the container of a step that a dead engine has left is removed when it is old; no other is",
  run: () => withEngine(undefined, async (_engine, docker) => {
    await ensureWorkerImage(docker);
    // As the engine makes it, and leaves it when it dies before the step is an image.
    await docker.createContainer({ Image: WORKER_IMAGE, Entrypoint: [], Cmd: ["/bin/sh", "-c", "#(nop) COPY dir:x in /burla"] });
    const other = await docker.createContainer({ Image: WORKER_IMAGE, Cmd: ["-e", "0"] });
    await removeSteps(docker);
    assert.equal((await on(docker)).containers, 2, "one that is young may be at work");
    await removeSteps(docker, 0);
    assert.deepEqual((await docker.listContainers({ all: true })).map(({ Id }) => Id), [other.id]);
    return { removed: 1 };
  }),
};

const noRoom: ImageScenario = {
  name: "the disk of the engine has no room for the image: it is said, and nothing is left",
  run: () => withEngine(SMALL_DISK_MIB, async (engine, docker) => {
    const said = await refusalOf(engine.host);
    assert.match(said, /the disk of the Docker Engine is full.*Make room/s);
    assert.deepEqual(await on(docker), { containers: 0, images: [] });
    return { said, diskMiB: SMALL_DISK_MIB };
  }),
};

export const IMAGE_FAULTS: readonly ImageScenario[] = [uploading, building, step, noRoom];
