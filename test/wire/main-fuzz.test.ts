/** The real main service, fed rubbish over its own port: it goes on to serve jobs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { after, before, test } from "node:test";
import fc from "fast-check";
import * as v from "valibot";
import { bundleIdOf, clientToMain, encodeValues, FrameDecoder, jobIdSchema, nodeToMain, openStream, ROLE_HEADER, UPGRADE_PROTOCOL, type JobId, type JobSpec } from "@burla/protocol";
import { remoteParallelMap } from "../../client/src/index.ts";
import { breakagesOf, messagesOf, valuesOf } from "./arbitrary.ts";
import { startMain, type MainProcess } from "./main-process.ts";
import { corpusOf, hostileStream, inPieces } from "./mutations.ts";
import { frame, HELLO } from "./peers.ts";
import { fuzzPlan, randomFrom, type Random } from "./random.ts";

let main: MainProcess;
before(async () => {
  main = await startMain(1);
  process.env["BURLA_HOME"] = main.directory;
});
after(() => main.stop());

function dial(role: "client" | "node"): Promise<Duplex> {
  const { url, token, nodeToken } = main.file;
  return openStream({ url, token: role === "node" ? nodeToken : token, role, timeoutMs: 5000 });
}

/** Sends the bytes, reads whatever comes, and waits until the connection is over. */
async function say(stream: Duplex, pieces: Iterable<Buffer>): Promise<void> {
  stream.on("error", () => undefined);
  stream.resume();
  for (const piece of pieces) stream.write(piece);
  stream.end();
  if (!stream.destroyed) await once(stream, "close").catch(() => undefined);
}

async function stillServes(): Promise<void> {
  assert.equal(main.child.exitCode, null, main.log());
  const { url, token } = main.file;
  const results = await remoteParallelMap((x: number) => x * 2, [1, 2, 3], { cluster: { url, token } }).toArray();
  assert.deepEqual(results, [2, 4, 6]);
  const status = await fetch(new URL("/v1/status", url), { headers: { authorization: `Bearer ${token}` } });
  assert.equal(status.status, 200, await status.text());
}

for (const [role, union] of [["client", clientToMain], ["node", nodeToMain]] as const) {
  test(`hostile streams of a ${role}`, async (t) => {
    const { seed, runs } = fuzzPlan(80);
    t.diagnostic(`seeds ${seed} to ${seed + runs - 1}`);
    const corpus = corpusOf(union, 3);
    for (let each = seed; each < seed + runs; each++) {
      const random = randomFrom(each);
      await say(await dial(role), inPieces(random, hostileStream(random, corpus)));
      assert.equal(main.child.exitCode, null, `seed ${each}: ${main.log()}`);
    }
    await stillServes();
  });
}

const CODE = Buffer.from("export default () => (x) => x;");
const SPEC: JobSpec = {
  name: "fuzz", runtime: "node", image: null, cpu: 1, ramMiB: null, maxParallelism: null, concurrency: 1, onError: "continue", retries: 0,
  timeoutMs: null, grow: 0, detach: false, inputsAtHand: false, setupTimeoutMs: null, env: [], environment: null, cwd: null, parent: null, python: null, queue: null, bundle: { id: bundleIdOf({ runtime: "node", externals: [] }, CODE), externals: [] },
};
/** Three jobs of one seed: with few of them, messages about the same job meet. */
const jobsOf = (seed: number) => [0, 1, 2].map((at) => `job-${String(seed * 3 + at).padStart(19, "0")}` as JobId);
/** Numbers that a conversation is about, and those beyond them. */
const NUMBERS = [0, 1, 2, 3, 8, 100, 8192, Number.MAX_SAFE_INTEGER];

/** Messages that each fit the protocol, and together make no sense. */
function senseless(union: typeof clientToMain | typeof nodeToMain, random: Random, jobs: readonly JobId[]): Buffer {
  const [type, schema] = random.pick([...messagesOf(union)]);
  const [sample] = fc.sample(valuesOf(schema), { numRuns: 1, seed: random.below(2 ** 31) }) as [Record<string, unknown>];
  const message: Record<string, unknown> = { ...sample };
  if ("jobId" in message) message["jobId"] = random.pick(jobs);
  if ("nodeId" in message) message["nodeId"] = "intruder";
  if ("protocolVersion" in message) message["protocolVersion"] = HELLO.protocolVersion;
  for (const key of ["chunkId", "first", "total", "seq", "afterSeq", "grantId", "nodeSeq", "valuesBytes"]) {
    if (key in message) message[key] = Math.max(key === "nodeSeq" ? 1 : 0, random.pick(NUMBERS));
  }
  if (type === "submit") return frame({ ...message, spec: SPEC, codeBytes: CODE.byteLength }, CODE, encodeValues([]));
  return frame(message, random.below(2) === 0 ? random.bytes(random.below(50)) : encodeValues([1, 2, 3]));
}

test("messages of a client that fit the protocol and make no sense", async (t) => {
  const { seed, runs } = fuzzPlan(20);
  t.diagnostic(`seeds ${seed} to ${seed + runs - 1}`);
  for (let each = seed; each < seed + runs; each++) {
    const random = randomFrom(each);
    await say(await dial("client"), [frame(HELLO), ...Array.from({ length: 40 }, () => senseless(clientToMain, random, jobsOf(each)))]);
    assert.equal(main.child.exitCode, null, `seed ${each}: ${main.log()}`);
  }
  await stillServes();
});

test("messages of a node that fit the protocol and make no sense, while it is trusted with jobs", async (t) => {
  const { seed, runs } = fuzzPlan(20);
  t.diagnostic(`seeds ${seed} to ${seed + runs - 1}`);
  for (let each = seed; each < seed + runs; each++) {
    const random = randomFrom(each);
    const jobs = jobsOf(each + 1_000_000);
    const node = await dial("node");
    for (const bytes of [frame(HELLO), nodeHello(), frame({ type: "nodeState", state: "READY", reason: "", workers: [], preparing: [] })]) node.write(bytes);
    const client = await dial("client");
    client.resume();
    for (const bytes of [frame(HELLO), ...jobs.flatMap(smallJob)]) client.write(bytes);
    await Promise.race([once(node, "data"), once(node, "close")]);
    await say(node, Array.from({ length: 40 }, () => senseless(nodeToMain, random, jobs)));
    client.destroy();
    assert.equal(main.child.exitCode, null, `seed ${each}: ${main.log()}`);
  }
  await stillServes();
});

/** The last words of main on a connection that says this, and when main has closed it. */
async function answerOf(role: "client" | "node", messages: readonly Buffer[]): Promise<{ type: string; code: string; message: string; jobId: unknown }[]> {
  const stream = await dial(role);
  const decoder = new FrameDecoder();
  const said: { type: string; code: string; message: string; jobId: unknown }[] = [];
  stream.on("error", () => undefined);
  stream.on("data", (piece: Buffer) => said.push(...[...decoder.push(piece)].map(({ header }) => header as (typeof said)[number])));
  stream.on("end", () => stream.end());
  for (const bytes of messages) stream.write(bytes);
  if (!stream.destroyed) await once(stream, "close");
  return said;
}

/** Every message of the protocol that main may hear, broken in every way: so that a new message is tried as well. */
for (const [role, union] of [["client", clientToMain], ["node", nodeToMain]] as const) {
  const first = role === "node" ? [frame(HELLO), nodeHello()] : [frame(HELLO)];
  for (const [type, schema] of messagesOf(union)) {
    test(`any ${type} of a ${role} that does not fit is answered with the reason, and others' jobs end right`, async (t) => {
      const { seed } = fuzzPlan(1);
      // The fullest, so that as many fields as can be are there to be broken.
      const [valid] = fc.sample(valuesOf(schema), { numRuns: 20, seed }).sort((a, b) => JSON.stringify(b).length - JSON.stringify(a).length);
      const others = Promise.all([remoteParallelMap((x: number) => x + 1, Array.from({ length: 200 }, (_, x) => x), { cluster: { url: main.file.url, token: main.file.token } }).toArray(), stillServes()]);
      let tried = 0;
      for (const { how, broken } of breakagesOf(schema, valid)) {
        // Without a type of its own, or with a body that is a message, it is another message.
        if (!isFramed(broken) || v.is(union, broken)) continue;
        tried++;
        const said = await answerOf(role, [...first, frame(broken)]);
        const last = said.at(-1);
        assert.equal(last?.type, "farewell", `${how}: main said ${said.map((message) => message.type).join(", ")}`);
        assert.equal(last.code, "BURLA_PROTOCOL", how);
        assert.match(last.message, /does not fit the protocol/, how);
        const jobId = (broken as { jobId?: unknown } | undefined)?.jobId;
        assert.equal(last.jobId, v.is(jobIdSchema, jobId) ? jobId : null, how);
      }
      const [results] = await others;
      assert.deepEqual(results.slice(-1), [200]);
      t.diagnostic(`${tried} ways`);
      assert.ok(tried > 0);
      await stillServes();
    });
  }
}

function isFramed(broken: unknown): boolean {
  try {
    frame(broken);
    return true;
  } catch {
    return false;
  }
}

/** What fits the schema, and not the conversation: of the job's own program. */
const nonsense: [string, (jobId: JobId) => Buffer[]][] = [
  ["inputs that leave some out", (jobId) => [frame({ type: "inputs", jobId, chunkId: 0, first: 5, count: 3 }, encodeValues([1, 2, 3]))]],
  ["inputs after the last one", (jobId) => [...smallJob(jobId).slice(1), frame({ type: "inputs", jobId, chunkId: 1, first: 8, count: 1 }, encodeValues([1]))]],
  ["counts of a queue that is here", (jobId) => [frame({ type: "queueCounts", jobId, pushed: 5, answered: 5, failed: 0, total: 5 })]],
];
for (const [what, messages] of nonsense) {
  test(`${what} end the job with an error that its program hears`, async () => {
    const [jobId = "" as JobId] = jobsOf(3_000_000 + nonsense.findIndex(([each]) => each === what));
    const client = await dial("client");
    const said: { type: string; outcome?: string; code?: string }[] = [];
    const decoder = new FrameDecoder();
    const over = new Promise<void>((resolve) => {
      client.on("data", (piece: Buffer) => {
        said.push(...[...decoder.push(piece)].map(({ header }) => header as (typeof said)[number]));
        if (said.some(({ type }) => type === "finished")) resolve();
      });
    });
    // Too large for the one node, so that it does not begin.
    const submit = frame({ type: "submit", jobId, spec: { ...SPEC, cpu: 0.01 }, codeBytes: CODE.byteLength }, CODE, encodeValues([]));
    for (const bytes of [frame(HELLO), submit, ...messages(jobId)]) client.write(bytes);
    await over;
    client.destroy();
    assert.equal(said.find(({ type }) => type === "finished")?.outcome, "failed");
    const failures = (await (await fetch(new URL(`/v1/jobs/${jobId}/failures`, main.file.url), { headers: { authorization: `Bearer ${main.file.token}` } })).json()) as { failures: { name: string }[] };
    assert.deepEqual(failures.failures.map(({ name }) => name), ["BURLA_PROTOCOL"]);
    await stillServes();
  });
}

test("a code that is longer than what came is refused", async () => {
  const [jobId = "" as JobId] = jobsOf(4_000_000);
  const client = await dial("client");
  const decoder = new FrameDecoder();
  const refused = new Promise<{ code: string }>((resolve) => {
    client.on("data", (piece: Buffer) => {
      for (const { header } of decoder.push(piece)) if ((header as { type: string }).type === "refused") resolve(header as { code: string });
    });
  });
  for (const bytes of [frame(HELLO), frame({ type: "submit", jobId, spec: SPEC, codeBytes: 1_000 }, CODE)]) client.write(bytes);
  assert.equal((await refused).code, "BURLA_PROTOCOL");
  client.destroy();
  await stillServes();
});

test("a client that sends inputs without credit has its job ended, and nothing more of it kept", async () => {
  const [jobId = "" as JobId] = jobsOf(2_000_000);
  const client = await dial("client");
  const spec = { ...SPEC, cpu: 0.01 };
  const values = encodeValues(Array.from({ length: 8192 }, () => 0));
  const flood = Array.from({ length: 60 }, (_, chunkId) => frame({ type: "inputs", jobId, chunkId, first: chunkId * 8192, count: 8192 }, values));
  await say(client, [frame(HELLO), frame({ type: "submit", jobId, spec, codeBytes: CODE.byteLength }, CODE, encodeValues([])), ...flood]);
  const job = await fetch(new URL(`/v1/jobs/${jobId}`, main.file.url), { headers: { authorization: `Bearer ${main.file.token}` } });
  const { phase, inputs, reason } = (await job.json()) as { phase: string; inputs: number; reason: string };
  assert.equal(phase, "cancelled");
  assert.match(reason, /without credit/);
  assert.ok(inputs < 60 * 8192, `${inputs} inputs were taken`);
  await stillServes();
});

function smallJob(jobId: JobId): Buffer[] {
  return [
    frame({ type: "submit", jobId, spec: SPEC, codeBytes: CODE.byteLength }, CODE, encodeValues([])),
    frame({ type: "inputs", jobId, chunkId: 0, first: 0, count: 8 }, encodeValues([0, 1, 2, 3, 4, 5, 6, 7])),
    frame({ type: "inputsEnd", jobId, total: 8 }),
  ];
}

function nodeHello(): Buffer {
  return frame({ type: "nodeHello", nodeId: "intruder", cpu: 4, ramMiB: 512, maxCpu: 4, maxRamMiB: 512, pid: 1, jobs: [], holding: [] });
}

test("a node that speaks before it has introduced itself is hung up on", async () => {
  await say(await dial("node"), [frame(HELLO), frame({ type: "renew", jobs: [] })]);
  await stillServes();
});

const { token: _none, ...requests } = {
  token: "",
  "no token": () => upgradeRequest({}),
  "a wrong token": () => upgradeRequest({ authorization: "Bearer wrong" }),
  "a client's token for a node": () => upgradeRequest({ authorization: `Bearer ${main.file.token}`, [ROLE_HEADER]: "node" }),
  "a node's token for a client": () => upgradeRequest({ authorization: `Bearer ${main.file.nodeToken}`, [ROLE_HEADER]: "client" }),
};
for (const [what, request] of Object.entries(requests)) {
  test(`an upgrade with ${what} is answered 401`, async () => {
    assert.match(await answerTo(request()), /^HTTP\/1\.1 401 /);
  });
}

test("an upgrade to something else, or elsewhere, is answered 400", async () => {
  const authorization = `Bearer ${main.file.token}`;
  assert.match(await answerTo(upgradeRequest({ authorization, upgrade: "websocket" })), /^HTTP\/1\.1 400 /);
  assert.match(await answerTo(upgradeRequest({ authorization }, "/v1/elsewhere")), /^HTTP\/1\.1 400 /);
});

test("what is no HTTP at all does no harm", async () => {
  const random = randomFrom(5);
  for (let each = 0; each < 20; each++) await answerTo(random.bytes(300).toString("latin1"));
  await stillServes();
});

function upgradeRequest(headers: Record<string, string>, path = "/v1/connect"): string {
  const all = { host: "127.0.0.1", connection: "Upgrade", upgrade: UPGRADE_PROTOCOL, ...headers };
  return `GET ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

async function answerTo(request: string): Promise<string> {
  const socket = connect(Number(new URL(main.file.url).port), "127.0.0.1");
  socket.setEncoding("latin1").on("error", () => undefined);
  socket.write(request, "latin1");
  let answer = "";
  socket.on("data", (text: string) => (answer += text));
  socket.setTimeout(500, () => socket.destroy());
  await once(socket, "close");
  return answer;
}
