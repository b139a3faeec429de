/** Code by its hash, with a real main and a real node: other code under a hash is never run, and lost code is sent again. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bundleIdOf, Connection, decodeEnvelopes, decodeValues, encodeValues, mainToClient, newJobId, openStream, type ClientToMain, type JobId, type JobSpec, type MainToClient, type Of } from "@burla/protocol";
import { startMain, type MainProcess } from "./main-process.ts";

let main: MainProcess;
before(async () => void (main = await startMain(1)));
after(() => main.stop());

const KIND = { runtime: "node" as const, externals: [] };
const codeOf = (what: string) => Buffer.from(`export default () => () => ${JSON.stringify(what)};`);

function specOf(code: Uint8Array): JobSpec {
  return {
    name: "bundles", runtime: "node", image: null, cpu: 1, ramMiB: null, maxParallelism: null, concurrency: 1, onError: "continue", retries: 0, grow: 0, timeoutMs: null,
    detach: false, inputsAtHand: false, setupTimeoutMs: null, env: [], environment: null, cwd: null, parent: null, python: null, queue: null, bundle: { id: bundleIdOf(KIND, code), externals: [] },
  };
}

class Client {
  readonly connection: Connection<MainToClient, ClientToMain>;
  readonly #heard: { message: MainToClient; body: Buffer }[] = [];
  #wake: () => void = () => undefined;

  static async dial(): Promise<Client> {
    return new Client(await openStream({ url: main.file.url, token: main.file.token, role: "client", timeoutMs: 5000 }));
  }

  constructor(stream: Awaited<ReturnType<typeof openStream>>) {
    this.connection = new Connection(stream, {
      incoming: mainToClient, software: "test", onClose: () => undefined,
      onMessage: (message, body) => {
        this.#heard.push({ message, body: Buffer.from(body) });
        this.#wake();
      },
    });
  }

  /** The next message of one of these types, about this job. */
  async hear<Type extends MainToClient["type"]>(jobId: JobId, ...types: Type[]): Promise<{ message: Of<MainToClient, Type>; body: Buffer }> {
    for (;;) {
      const at = this.#heard.findIndex(({ message }) => types.includes(message.type as Type) && message.jobId === jobId);
      if (at >= 0) return this.#heard.splice(at, 1)[0] as { message: Of<MainToClient, Type>; body: Buffer };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  submit(jobId: JobId, spec: JobSpec, code: Uint8Array): void {
    this.connection.send({ type: "submit", jobId, spec, codeBytes: code.byteLength }, code, encodeValues([]));
  }

  feedOne(jobId: JobId): void {
    this.connection.send({ type: "inputs", jobId, chunkId: 0, first: 0, count: 1 }, encodeValues([1]));
    this.connection.send({ type: "inputsEnd", jobId, total: 1 });
  }

  async resultOf(jobId: JobId): Promise<unknown> {
    const { message, body } = await this.hear(jobId, "results", "finished", "refused");
    assert.equal(message.type, "results", `${JSON.stringify(message)} ${body.toString("latin1")}`);
    this.connection.send({ type: "ack", jobId, seq: 1 });
    assert.equal((await this.hear(jobId, "finished")).message.outcome, "done");
    this.connection.send({ type: "leave", jobId });
    return (decodeValues(body) as unknown[])[0];
  }

  async run(spec: JobSpec, code: Uint8Array): Promise<unknown> {
    const jobId = newJobId();
    this.submit(jobId, spec, code);
    this.feedOne(jobId);
    return this.resultOf(jobId);
  }
}

async function nodeBundle(id: string): Promise<string> {
  const [node = ""] = await readdir(join(main.directory, "nodes"));
  return join(main.directory, "nodes", node, "bundles", id, "bundle.mjs");
}

test("code under the hash of other code is refused, and whoever owns the hash runs its own", async () => {
  const [mine, strangers] = [codeOf("mine"), codeOf("a stranger's")];
  const stranger = await Client.dial();
  const jobId = newJobId();
  stranger.submit(jobId, specOf(mine), strangers);
  const { message } = await stranger.hear(jobId, "refused", "accepted");
  assert.ok(message.type === "refused" && message.code === "BURLA_PROTOCOL", JSON.stringify(message));
  for (const squatter of [Buffer.alloc(0), strangers, Buffer.concat([mine, Buffer.from("\n")])]) {
    const answer = await fetch(new URL(`/v1/blobs/${specOf(mine).bundle.id}`, main.file.url), { method: "PUT", headers: { authorization: `Bearer ${main.file.token}` }, body: squatter });
    assert.equal(answer.status, 400);
  }
  const owner = await Client.dial();
  assert.equal(await owner.run(specOf(mine), mine), "mine");
  for (const client of [stranger, owner]) client.connection.close();
});

test("two who race with the same hash each get their own code or an error", async () => {
  const [mine, strangers] = [codeOf("mine in a race"), codeOf("a stranger's in a race")];
  const [owner, stranger] = await Promise.all([Client.dial(), Client.dial()]);
  const stolen = newJobId();
  stranger.submit(stolen, specOf(mine), strangers);
  const result = owner.run(specOf(mine), mine);
  assert.equal((await stranger.hear(stolen, "refused", "accepted")).message.type, "refused");
  assert.equal(await result, "mine in a race");
  for (const client of [stranger, owner]) client.connection.close();
});

test("code that main's disk has damaged is asked for before the job is taken, and the job runs", async () => {
  const code = codeOf("sent again");
  const spec = specOf(code);
  const client = await Client.dial();
  assert.equal(await client.run(spec, code), "sent again");
  for (const damage of [(path: string) => writeFile(path, ""), (path: string) => writeFile(path, "half"), (path: string) => rm(path)]) {
    await damage(join(main.directory, "blobs", spec.bundle.id));
    const jobId = newJobId();
    client.submit(jobId, spec, new Uint8Array(0));
    assert.equal((await client.hear(jobId, "codeNeeded", "accepted", "refused")).message.type, "codeNeeded");
    client.submit(jobId, spec, code);
    client.feedOne(jobId);
    assert.equal(await client.resultOf(jobId), "sent again");
  }
  assert.equal(createHash("sha256").update(await readFile(join(main.directory, "blobs", spec.bundle.id))).digest("hex"), spec.bundle.id);
  client.connection.close();
});

test("code that the node's disk has damaged is had from main, or from the program where main has lost it too", async () => {
  const code = codeOf("whole");
  const spec = specOf(code);
  const client = await Client.dial();
  assert.equal(await client.run(spec, code), "whole");
  const kept = await nodeBundle(spec.bundle.id);
  for (const damage of [() => writeFile(kept, ""), () => writeFile(kept, codeOf("other")), () => rm(join(kept, "../.."), { recursive: true })]) {
    await damage();
    assert.equal(await client.run(spec, new Uint8Array(0)), "whole");
  }
  const jobId = await losesItsCode(client, spec, kept);
  client.connection.send({ type: "code", jobId }, code);
  assert.equal(await client.resultOf(jobId), "whole");
  const misled = await losesItsCode(client, spec, kept);
  client.connection.send({ type: "code", jobId: misled }, codeOf("other"));
  const { message, body } = await client.hear(misled, "finished");
  assert.deepEqual([message.outcome, decodeEnvelopes(body).map((error) => error.kind === "burla" && error.code)], ["failed", ["BURLA_PROTOCOL"]], "nor may it be other code by now");
  client.connection.close();
});

/** A job that is asked for its code: the only node is at work while main and node lose it. */
async function losesItsCode(client: Client, spec: JobSpec, kept: string): Promise<JobId> {
  const slow = Buffer.from("export default () => () => new Promise((resolve) => setTimeout(resolve, 1500, 'slow'));");
  const [before, jobId] = [newJobId(), newJobId()];
  client.submit(before, specOf(slow), slow);
  client.feedOne(before);
  client.submit(jobId, spec, new Uint8Array(0));
  await client.hear(jobId, "accepted");
  await Promise.all([writeFile(kept, ""), writeFile(join(main.directory, "blobs", spec.bundle.id), "")]);
  client.feedOne(jobId);
  assert.equal(await client.resultOf(before), "slow");
  await client.hear(jobId, "codeNeeded");
  return jobId;
}

test("a client that gives up while it is asked for code leaves the cluster as it was", async () => {
  const code = codeOf("never sent");
  const client = await Client.dial();
  const jobId = newJobId();
  client.submit(jobId, specOf(code), new Uint8Array(0));
  await client.hear(jobId, "codeNeeded");
  client.connection.close();
  const other = await Client.dial();
  assert.equal(await other.run(specOf(codeOf("another")), codeOf("another")), "another");
  other.connection.close();
  assert.equal((await fetch(new URL(`/v1/jobs/${jobId}`, main.file.url), { headers: { authorization: `Bearer ${main.file.token}` } })).status, 404);
});
