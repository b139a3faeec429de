/** The codec of the Python programs against this one: the same frames from the same bytes, and no other end than a refusal. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { clientToMain, FrameDecoder, mainToClient, nodeToWorker, workerToNode } from "@burla/protocol";
import { ensureInterpreter, pythonEnvironment } from "../../scripts/python/interpreters.ts";
import { corpusOf, hostileStream } from "./mutations.ts";
import { fuzzPlan, randomFrom } from "./random.ts";

const interpreter = ensureInterpreter();
const UNIONS = [clientToMain, mainToClient, nodeToWorker, workerToNode];

/** Reads streams, each behind its length, and answers each with the frames that it has found, written anew, and its end. */
const PEER = `
import resource, struct, sys
from burla_protocol.frames import FrameDecoder, FrameError, encode_frame
from burla_protocol.messagepack import pack
data, at = sys.stdin.buffer.read(), 0
answers = []
while at < len(data):
    (length,) = struct.unpack_from("<I", data, at)
    stream, at = data[at + 4 : at + 4 + length], at + 4 + length
    frames, refused = bytearray(), 0
    try:
        for header, body in FrameDecoder().feed(stream):
            try: frames += b"".join(encode_frame(header, body))
            except (TypeError, OverflowError): frames += b"".join(encode_frame({"type": "unpackable"}))
    except FrameError:
        refused = 1
    answers.append(struct.pack("<IB", len(frames), refused) + frames)
sys.stdout.buffer.write(b"".join(answers))
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
`;

interface Answer {
  readonly frames: Buffer;
  readonly refused: boolean;
}

function ask(streams: readonly Buffer[]): { answers: Answer[]; peakMiB: number } {
  const input = Buffer.concat(streams.flatMap((stream) => [uint32(stream.byteLength), stream]));
  const { status, stdout, stderr } = spawnSync(interpreter.command, ["-c", PEER], { input, maxBuffer: 1 << 30, env: { ...process.env, ...pythonEnvironment(interpreter) } });
  assert.equal(status, 0, stderr.toString());
  const answers: Answer[] = [];
  for (let at = 0; at < stdout.byteLength; ) {
    const end = at + 5 + stdout.readUInt32LE(at);
    answers.push({ frames: stdout.subarray(at + 5, end), refused: stdout[at + 4] === 1 });
    at = end;
  }
  assert.equal(answers.length, streams.length);
  return { answers, peakMiB: Number(stderr.toString()) };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function decode(stream: Buffer): unknown[] {
  return [...new FrameDecoder().push(stream)].map(({ header, body }) => ({ header, body: Buffer.from(body) }));
}

test("every message comes back as it was", () => {
  const frames = UNIONS.flatMap((union) => corpusOf(union, fuzzPlan(1).seed, 40));
  const { answers } = ask(frames);
  frames.forEach((stream, at) => {
    assert.equal(answers[at]?.refused, false);
    assert.deepEqual(decode(answers[at].frames), decode(stream));
  });
});

test("hostile streams are read as far as they go, or refused, without much memory", (t) => {
  const { seed, runs } = fuzzPlan(1500);
  t.diagnostic(`seeds ${seed} to ${seed + runs - 1}; repeat one with BURLA_FUZZ_SEED=<seed> BURLA_FUZZ_RUNS=1`);
  const corpus = UNIONS.flatMap((union) => corpusOf(union, 3, 2));
  const { answers, peakMiB } = ask(Array.from({ length: runs }, (_, at) => hostileStream(randomFrom(seed + at), corpus)));
  assert.ok(answers.some(({ refused }) => refused));
  assert.ok(answers.some(({ refused }) => !refused));
  assert.ok(peakMiB < 400, `${peakMiB} MiB`);
});
