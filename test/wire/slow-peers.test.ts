/** Peers that take slowly, or nothing: what waits for them is bounded, nothing is lost, and the order stays. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { BurlaError, Connection, mainToClient, MAX_IN_SOCKET_BYTES, newJobId, PIECE_BYTES, type BodySource, type ClientToMain, type MainToClient } from "@burla/protocol";
import { listen, socketPair } from "./peers.ts";

const jobId = newJobId();
const MIB = 1 << 20;

/** Bytes that are made when they are read, and what was read of them. */
class Source implements BodySource {
  readonly byteLength: number;
  readBytes = 0;
  isClosed = false;
  readonly #failsAt: number;

  constructor(byteLength: number, failsAt = Infinity) {
    this.byteLength = byteLength;
    this.#failsAt = failsAt;
  }

  read(at: number, bytes: number): Uint8Array {
    assert.equal(at, this.readBytes, "pieces are read in order");
    if (at + bytes > this.#failsAt) throw new BurlaError("BURLA_STORAGE", "the disk fails");
    this.readBytes += Math.min(bytes, this.byteLength - at);
    return PATTERN.subarray(at % PIECE_BYTES, (at % PIECE_BYTES) + Math.min(bytes, this.byteLength - at));
  }

  close(): void {
    assert.ok(!this.isClosed, "closed once");
    this.isClosed = true;
  }
}

/** What a source holds, again and again: it is read in pieces of this size. */
const PATTERN = Buffer.from(Uint8Array.from({ length: PIECE_BYTES }, (_, at) => at * 31 + (at >> 8)));
const results = (seq: number): MainToClient => ({ type: "results", jobId, seq, first: seq, count: 1, indices: null, failed: [], valuesBytes: 0, dropped: [], nodeId: "n-1" as never });

test("of bodies for a hundred peers that take nothing, a bounded part is read; they come whole and in order when the peers take them", async () => {
  const bytes = 8 * MIB;
  const pairs = await Promise.all(Array.from({ length: 100 }, () => socketPair()));
  const sources: Source[] = [];
  const mains = pairs.map(({ near, far }) => {
    far.pause();
    const main = listen(near, { silenceMs: 0 });
    const source = new Source(bytes);
    sources.push(source);
    main.connection.send(results(1), source);
    for (let seq = 2; seq <= 5; seq++) main.connection.send(results(seq), Buffer.from([seq]));
    return main;
  });
  await sleep(300);
  for (const [at, { near }] of pairs.entries()) {
    assert.ok(near.writableLength <= MAX_IN_SOCKET_BYTES + PIECE_BYTES, `${near.writableLength} bytes wait in a socket`);
    assert.ok((sources[at]?.readBytes ?? 0) < bytes, "all of it was read");
  }
  for (const [at, { far }] of pairs.entries()) {
    const seqs: number[] = [];
    let whole: Buffer | undefined;
    await new Promise<void>((resolve) => {
      const client = new Connection<MainToClient, ClientToMain>(far, {
        incoming: mainToClient, software: "t", silenceMs: 0, onClose: () => resolve(),
        onMessage: (message, body) => {
          if (message.type !== "results") return;
          seqs.push(message.seq);
          if (message.seq === 1) whole = Buffer.from(body);
          if (message.seq === 5) client.close();
        },
      });
      far.resume();
    });
    assert.deepEqual(seqs, [1, 2, 3, 4, 5]);
    assert.equal(whole?.byteLength, bytes);
    for (let offset = 0; offset < bytes; offset += PIECE_BYTES) assert.ok(whole?.subarray(offset, offset + PIECE_BYTES).equals(PATTERN), `the bytes from ${offset} are others`);
    await mains[at]?.closed;
    assert.ok(sources[at]?.isClosed);
  }
});

test("large bytes are handed to a socket a piece at a time too, and who waits for room is told once it is there", async () => {
  const { near, far } = await socketPair();
  far.pause();
  let told = 0;
  const { connection } = listen(near, { silenceMs: 0, onRoom: () => told++ });
  connection.send(results(1), Buffer.alloc(50 * MIB, 1));
  await sleep(100);
  assert.ok(near.writableLength <= MAX_IN_SOCKET_BYTES + PIECE_BYTES);
  assert.ok(connection.unsentBytes > 30 * MIB);
  assert.equal(told, 0);
  far.on("data", () => undefined).resume();
  await connection.drained();
  assert.equal(connection.unsentBytes, 0);
  await sleep(50);
  assert.ok(told > 0);
  connection.close();
});

test("a source that fails ends its connection with that error, before its message is whole; all others are closed", async () => {
  const { near, far } = await socketPair();
  const heard: number[] = [];
  const client = new Connection<MainToClient, ClientToMain>(far, { incoming: mainToClient, software: "t", silenceMs: 0, onClose: () => undefined, onMessage: (message) => void heard.push(message.type === "results" ? message.seq : 0) });
  const { connection, closed } = listen(near, { silenceMs: 0 });
  const [failing, behind] = [new Source(20 * MIB, 10 * MIB), new Source(MIB)];
  connection.send(results(1), Buffer.from("whole"));
  connection.send(results(2), failing);
  connection.send(results(3), behind);
  const error = await closed;
  assert.equal(error?.code, "BURLA_STORAGE");
  await once(far, "close");
  assert.deepEqual(heard, [1]);
  assert.ok(failing.isClosed && behind.isClosed);
  const late = new Source(MIB);
  connection.send(results(4), late);
  assert.ok(late.isClosed, "also one that is said when it is too late");
  client.close();
});

test("what was said before a close leaves, however much it is", async () => {
  const { near, far } = await socketPair();
  const heard: number[] = [];
  const over = new Promise<void>((resolve) => {
    new Connection<MainToClient, ClientToMain>(far, { incoming: mainToClient, software: "t", silenceMs: 0, onClose: () => resolve(), onMessage: (message, body) => void heard.push(message.type === "results" ? body.byteLength : -1) });
  });
  const { connection } = listen(near, { silenceMs: 0 });
  connection.send(results(1), Buffer.alloc(5 * MIB));
  connection.send(results(2), new Source(5 * MIB));
  connection.close();
  await over;
  assert.deepEqual(heard, [5 * MIB, 5 * MIB]);
});

test("a peer that is held is not heard and not taken for dead, hears all the same, and is heard in order when it is let go on", async () => {
  const { near, far } = await socketPair();
  const { connection, heard } = listen(near, { silenceMs: 300 });
  let told = 0;
  const client = new Connection<MainToClient, ClientToMain>(far, { incoming: mainToClient, software: "t", silenceMs: 0, onClose: () => undefined, onMessage: () => void told++ });
  connection.hold(true);
  for (let seq = 1; seq <= 20; seq++) client.send({ type: "ack", jobId, seq });
  connection.send(results(1));
  await sleep(1_000);
  assert.deepEqual([heard.length, told, connection.closed], [0, 1, false]);
  connection.hold(false);
  await sleep(100);
  assert.deepEqual(heard.map(({ message }) => (message.type === "ack" ? message.seq : 0)), Array.from({ length: 20 }, (_, at) => at + 1));
  client.close();
});
