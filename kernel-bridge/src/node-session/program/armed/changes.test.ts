import assert from "node:assert/strict";
import { test } from "node:test";
import { fill } from "./changes.ts";
import { watchedNames } from "./watched.ts";

class Point {
  readonly x: number;

  constructor(x: number) {
    this.x = x;
  }
}

test("arrays, maps, sets and objects are changed where they are, and their elements stay the ones that they are", () => {
  const [a, b, c] = [new Point(1), new Point(2), new Point(3)];
  const live = [a, b, c];
  assert.equal(fill(live, structuredClone([c, a, { x: 9 }, new Point(4)])), live);
  assert.ok(live[0] === c && live[1] === a && live[2] instanceof Object);
  assert.deepEqual(live.map(({ x }) => x), [3, 1, 9, 4]);
  const map = new Map<unknown, unknown>([[a, b], ["k", [1]]]);
  const inner = map.get("k");
  fill(map, structuredClone(new Map<unknown, unknown>([["k", [1, 2]], [a, b]])));
  assert.ok([...map.keys()][1] === a && map.get(a) === b && map.get("k") === inner);
  assert.deepEqual(inner, [1, 2]);
  const set = new Set<unknown>([a, 1]);
  fill(set, structuredClone(new Set<unknown>([2, a])));
  assert.deepEqual([...set], [2, a]);
  assert.ok(set.has(a));
});

test("an object that has changed keeps its class; what cannot be changed is replaced", () => {
  const model = { at: new Point(1), when: new Date(0), gone: 1 };
  const { at } = model;
  assert.equal(fill(model, { at: { x: 5 }, when: new Date(7), added: [1] }), model);
  assert.ok(model.at === at && at instanceof Point);
  assert.deepEqual({ ...model }, { at, when: new Date(7), added: [1] });
  assert.equal(at.x, 5);
  assert.equal(fill(1, 2), 2);
  assert.deepEqual(fill(new Uint8Array(1), new Uint8Array([3])), new Uint8Array([3]));
});

test("names of the cell and of the functions that it names are watched, as far as they can be copied", () => {
  const session = { n: 1, rows: [], inc: new Function("return n++ + other"), other: "x", socket: { close() {} }, far: 2 };
  assert.deepEqual(watchedNames("rows.push(inc()); socket.close(); unknown", session).sort(), ["n", "other", "rows"]);
});
