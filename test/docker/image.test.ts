/** `burla image` for real: upon another image, again, and with an engine that is not there. */
import assert from "node:assert/strict";
import Docker from "dockerode";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runText } from "./support/run-text.ts";
import { ensureWorkerImage, WORKER_IMAGE } from "./support/engine.ts";

const CLI = fileURLToPath(new URL("../../client/dist/cli.js", import.meta.url));
const NAME = "burla-test-derived:1";
const docker = new Docker();
before(() => ensureWorkerImage(docker));
after(() => docker.getImage(NAME).remove({ force: true }));

interface Made {
  readonly name: string;
  readonly id: string;
  readonly made: boolean;
}

async function image(...args: string[]): Promise<Made> {
  return JSON.parse(await runText(process.execPath, [CLI, "image", "--json", ...args], process.env)) as Made;
}

async function refusal(args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const error = await runText(process.execPath, [CLI, "image", ...args], { ...process.env, ...env }).then(() => assert.fail("it was made"), (failed: { stderr: string }) => failed);
  return error.stderr;
}

test("--from puts the worker into another image, once, and leaves no image without a name", async () => {
  const unnamed = async () => (await docker.listImages({ filters: { dangling: ["true"], label: ["burla.inputs"] } })).map(({ Id }) => Id);
  const first = await image("--from", WORKER_IMAGE, "--name", NAME);
  assert.deepEqual([first.name, first.made], [NAME, true]);
  const before = await unnamed();
  const again = await image("--from", WORKER_IMAGE, "--name", NAME);
  assert.deepEqual([again.id, again.made], [first.id, false]);
  const container = await docker.createContainer({ Image: NAME, HostConfig: { NetworkMode: "none" }, Entrypoint: ["node"], Cmd: ["-e", `process.exit(require("node:fs").statSync("/burla/worker.mjs").size > 1000 ? 0 : 1)`] });
  await container.start();
  assert.equal((await container.wait() as { StatusCode: number }).StatusCode, 0);
  await container.remove();
  const python = await image("--runtime", "python", "--from", WORKER_IMAGE, "--name", NAME);
  assert.equal(python.made, true);
  assert.deepEqual(await unnamed(), before, "the one that had the name is gone");
});

test("an image that is not there, and an engine that is not there, are said with their cure", async () => {
  assert.match(await refusal(["--from", "no-such-image:1"]), /the image no-such-image:1 is not on this machine.*docker pull no-such-image:1/s);
  assert.match(await refusal([], { DOCKER_HOST: "unix:///no/such/socket" }), /Docker Engine|ENOENT/);
  assert.match(await refusal(["--runtime", "python"], { BURLA_PYTHON: "/no/such/python" }), /the Python of this machine \(\/no\/such\/python\) does not run.*BURLA_PYTHON/s);
});
