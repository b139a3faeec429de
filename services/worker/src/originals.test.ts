/** Functions that ruin what the worker itself needs: their calls are answered, or the worker ends; none waits for ever. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startWorker } from "./testing.ts";

const PATIENCE_MS = 30_000;

const RUINS: Record<string, string> = {
  "the iterator of arrays": `Array.prototype[Symbol.iterator] = function* () {};`,
  "the iterator of arrays, throwing": `Array.prototype[Symbol.iterator] = () => { throw new Error("ruined"); };`,
  "the step of iterators": `Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true });`,
  "Buffer.concat": `Buffer.concat = () => Buffer.alloc(0);`,
  "Buffer.from": `Buffer.from = () => { throw new Error("ruined"); };`,
  "Object.prototype.type": `Object.prototype.type = "ruined"; Object.prototype.get = 5; Object.prototype.value = 5;`,
  "a setter for all objects": `Object.defineProperty(Object.prototype, "kind", { configurable: true, get() { throw new Error("ruined"); }, set() { throw new Error("ruined"); } });`,
  "Map.prototype": `Map.prototype.get = Map.prototype.set = Map.prototype.has = () => undefined;`,
  "Set.prototype": `Set.prototype.add = Set.prototype.delete = Set.prototype.has = () => false;`,
  "Promise.prototype.then": `Promise.prototype.then = () => undefined;`,
  "JSON and Math": `JSON.stringify = JSON.parse = () => { throw new Error("ruined"); }; Math.min = Math.max = () => NaN;`,
  "process.stdout.write": `process.stdout.write = process.stderr.write = () => { throw new Error("ruined"); };`,
  "Error.prepareStackTrace": `Error.prepareStackTrace = () => { throw new Error("ruined"); };`,
  "Object.keys and entries": `Object.keys = Object.entries = Object.values = () => [];`,
  "the methods of arrays": `for (const name of ["push", "map", "filter", "indexOf", "splice", "slice", "every"]) Array.prototype[name] = () => { throw new Error("ruined"); };`,
  "globals": `globalThis.Map = globalThis.Set = globalThis.Promise = globalThis.Buffer = globalThis.setImmediate = globalThis.setTimeout = undefined;`,
  "clocks": `performance.now = Date.now = () => 5; process.nextTick = () => undefined;`,
  "events": `process.constructor.prototype && (Object.getPrototypeOf(Object.getPrototypeOf(process)).emit = () => false);`,
  "the lengths of bytes": `for (const key of ["length", "byteLength", "byteOffset"]) Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), key, { configurable: true, get: () => 0 });`,
  "the lengths of bytes, throwing": `for (const key of ["length", "byteLength", "byteOffset", "buffer"]) Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), key, { configurable: true, get() { throw new Error("ruined"); } });`,
  "the lengths of bytes, as none": `for (const key of ["length", "byteLength"]) Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), key, { configurable: true, value: undefined });`,
  "sizes": `for (const owner of [Map.prototype, Set.prototype]) Object.defineProperty(owner, "size", { configurable: true, get: () => 0 }); Object.defineProperty(ArrayBuffer.prototype, "byteLength", { configurable: true, get: () => 0 });`,
  "what streams take": `process.getBuiltinModule("stream").Readable.prototype.push = () => true;`,
  "what streams take, throwing": `process.getBuiltinModule("stream").Readable.prototype.push = () => { throw new Error("ruined"); };`,
};

for (const [what, ruin] of Object.entries(RUINS)) {
  test(`a function that ruins ${what}`, async () => {
    const worker = await startWorker();
    try {
      await worker.load(`export default () => (n) => {
        if (n === 1) { ${ruin} }
        if (n === 3) throw new RangeError("three");
        return n % 2 === 0 ? (async () => ({ n, list: [n] }))() : { n, list: [n] };
      };`);
      const inTurn = async () => [...(await worker.run([0, 1, 2, 3])), ...(await worker.run([4, 5], { first: 4 }))];
      const answered = inTurn().then((outcomes) => outcomes.map((outcome) => ("value" in outcome ? (outcome.value as { n: number }).n : (outcome.reason as Error).name)));
      const ended = worker.exited.then(([code, signal]) => `it ended: ${String(code)} ${String(signal)}`);
      const hung = new Promise<string>((resolve) => setTimeout(() => resolve("nothing came"), PATIENCE_MS).unref());
      const outcome = await Promise.race([answered.catch(() => ended), ended, hung]);
      if (typeof outcome !== "string") assert.deepEqual(outcome, [0, 1, 2, "RangeError", 4, 5]);
      assert.ok(typeof outcome !== "string" || /it ended/.test(outcome), String(outcome));
    } finally {
      await worker.stop();
    }
  });
}
