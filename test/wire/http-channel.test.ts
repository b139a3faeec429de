/** Main's conversation over one HTTP request, spoken by hand. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { after, before, test } from "node:test";
import { bundleIdOf, CHANNEL_CONTENT_TYPE, encodeValues, FrameDecoder, newJobId, type Frame, type JobId } from "@burla/protocol";
import { startMain, type MainProcess } from "./main-process.ts";
import { frame, HELLO } from "./peers.ts";

let main: MainProcess;
before(async () => void (main = await startMain(1)));
after(() => main.stop());

const CODE = Buffer.from("export default () => (x) => x + 1;");
const SPEC = {
  name: "channel", runtime: "node", image: null, cpu: 1, ramMiB: null, maxParallelism: null, concurrency: 1, onError: "continue", retries: 0, grow: 0, timeoutMs: null,
  detach: false, inputsAtHand: false, setupTimeoutMs: null, env: [], environment: null, cwd: null, parent: null, python: null, queue: null, bundle: { id: bundleIdOf({ runtime: "node", externals: [] }, CODE), externals: [] },
};

class Channel {
  readonly request: ClientRequest;
  readonly frames: Frame[] = [];
  response: IncomingMessage | undefined;
  readonly #decoder = new FrameDecoder();
  #wake: () => void = () => undefined;
  ended = false;

  constructor(jobId: string, token = main.file.token, headers = {}) {
    this.request = request(new URL(`/v1/jobs/${jobId}/channel`, main.file.url), {
      method: "POST", agent: false, headers: { authorization: `Bearer ${token}`, "content-type": CHANNEL_CONTENT_TYPE, ...headers },
    });
    this.request.on("error", () => this.#ended());
    this.request.flushHeaders();
  }

  async opened(): Promise<IncomingMessage> {
    const [response] = (await once(this.request, "response")) as [IncomingMessage];
    this.response = response;
    response.on("data", (piece: Buffer) => {
      this.frames.push(...this.#decoder.push(piece));
      this.#wake();
    });
    response.on("close", () => this.#ended());
    response.on("error", () => this.#ended());
    return response;
  }

  say(header: object, ...body: Uint8Array[]): void {
    this.request.write(frame(header, ...body));
  }

  /** The first message of this type. */
  async hear(type: string): Promise<Record<string, unknown> & { body: Uint8Array }> {
    for (;;) {
      const found = this.frames.find(({ header }) => (header as { type: string }).type === type);
      if (found !== undefined) return { ...(found.header as object), body: found.body };
      if (this.ended) throw new Error(`the channel ended without ${type}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async closed(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #ended(): void {
    this.ended = true;
    this.#wake();
  }
}

function submit(channel: Channel, jobId: JobId, inputs: number[]): void {
  channel.say(HELLO);
  channel.say({ type: "submit", jobId, spec: SPEC, codeBytes: CODE.byteLength }, CODE);
  channel.say({ type: "inputs", jobId, chunkId: 0, first: 0, count: inputs.length }, encodeValues(inputs));
}

test("it answers before the request has ended, and results come while inputs go", async () => {
  const jobId = newJobId();
  const channel = new Channel(jobId);
  const response = await channel.opened();
  assert.deepEqual([response.statusCode, response.headers["content-type"]], [200, CHANNEL_CONTENT_TYPE]);
  submit(channel, jobId, [1, 2]);
  const results = await channel.hear("results");
  assert.equal(results["seq"], 1);
  channel.say({ type: "ack", jobId, seq: 1 });
  channel.say({ type: "inputsEnd", jobId, total: 2 });
  assert.equal((await channel.hear("finished"))["outcome"], "done");
  channel.say({ type: "leave", jobId });
  channel.request.destroy();
});

test("a body that ends is a client that says no more, and hears all", async () => {
  const jobId = newJobId();
  const channel = new Channel(jobId);
  submit(channel, jobId, [1]);
  channel.say({ type: "inputsEnd", jobId, total: 1 });
  channel.request.end();
  await channel.opened();
  assert.equal((await channel.hear("finished"))["outcome"], "done");
  channel.request.destroy();
});

test("a lost channel is taken up where it was", async () => {
  const jobId = newJobId();
  const first = new Channel(jobId);
  await first.opened();
  submit(first, jobId, [1]);
  await first.hear("results");
  first.request.destroy();
  const second = new Channel(jobId);
  await second.opened();
  second.say(HELLO);
  second.say({ type: "attach", jobId, afterSeq: 0, push: true, linesAfter: 0 });
  assert.equal((await second.hear("accepted"))["chunksStored"], 1);
  assert.equal((await second.hear("results"))["seq"], 1);
  second.say({ type: "inputs", jobId, chunkId: 1, first: 1, count: 1 }, encodeValues([5]));
  second.say({ type: "inputsEnd", jobId, total: 2 });
  assert.equal((await second.hear("finished"))["inputs"], 2);
  second.request.destroy();
});

test("without the owner's token it is refused, and a channel speaks of its own job only", async () => {
  for (const token of ["wrong", main.file.nodeToken]) {
    const channel = new Channel(newJobId(), token);
    assert.equal((await channel.opened()).statusCode, 401);
    channel.request.destroy();
  }
  const [own, other] = [newJobId(), newJobId()];
  const channel = new Channel(own);
  await channel.opened();
  submit(channel, other, [1]);
  assert.equal((await channel.hear("refused"))["code"], "BURLA_PROTOCOL");
  channel.request.destroy();
});

test("rubbish, another version and a silent end are all an end of the channel, not of main", async () => {
  for (const bytes of [Buffer.from("rubbish that is no frame at all"), frame({ ...HELLO, protocolVersion: 1 }), frame({ type: "ping" }).subarray(0, 3)]) {
    const channel = new Channel(newJobId());
    await channel.opened();
    channel.request.write(bytes);
    if (bytes.byteLength === 3) channel.request.destroy();
    await channel.closed();
  }
  assert.equal((await fetch(new URL("/v1/health", main.file.url))).status, 200);
  assert.equal((await fetch(new URL("/v1/jobs/nonsense/channel", main.file.url), { method: "POST", headers: { authorization: `Bearer ${main.file.token}` } })).status, 404);
});
