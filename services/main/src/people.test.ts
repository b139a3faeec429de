import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DamageError, type NodeId } from "@burla/protocol";
import { hashOf, identify } from "./auth.ts";
import { Enrolment } from "./enrolment.ts";
import { People, type TokenEnded } from "./people.ts";
import { OpenFiles } from "./store/open-files.ts";

const files = new OpenFiles();
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-people-"));
  path = join(directory, "people.json");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const ended: TokenEnded[] = [];
const peopleIn = (at: string, ownerHash: string | null = null) => new People({ path: at, ownerHash, files, onTokenEnded: (one) => void ended.push(one) });
const roleOf = (people: People, token: string) => identify(`Bearer ${token}`, { owner: null, node: null, jobs: () => [], people: () => people.hashes() })?.role ?? null;

test("somebody who was let in is known by the token, also to the next main, until let out", () => {
  const token = peopleIn(path).add({ name: "ann", role: "viewer" });
  const people = peopleIn(path, hashOf("the owner's"));
  assert.equal(roleOf(people, token), "viewer");
  assert.equal(roleOf(people, "the-owners"), null);
  assert.deepEqual(people.list(), [{ name: "ann", role: "viewer" }]);
  const second = people.add({ name: "ann", role: "user" });
  assert.deepEqual([roleOf(people, token), roleOf(people, second)], [null, "user"], "the old token has ended");
  assert.deepEqual([people.remove("ann"), people.remove("ann")], [true, false]);
  assert.equal(roleOf(people, second), null);
});

test("the file holds no token, and is its owner's alone", () => {
  const token = peopleIn(path).add({ name: "ann", role: "user" });
  assert.ok(!readFileSync(path, "utf8").includes(token));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a list that is damaged is an error that names the file and what to do, and never an empty list", () => {
  peopleIn(path).add({ name: "ann", role: "user" });
  const whole = readFileSync(path);
  const isTold = (error: Error) => error instanceof DamageError && error.message.startsWith(`${path} is damaged`) && error.cure.startsWith("Put back a copy");
  for (let bit = 0; bit < 8 * whole.byteLength; bit++) {
    const changed = Buffer.from(whole);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    writeFileSync(path, changed);
    assert.throws(() => peopleIn(path), isTold, `bit ${bit}`);
  }
  for (const text of ["", "[", "{}", '[{"name":"ann"}]']) {
    writeFileSync(path, text);
    assert.throws(() => peopleIn(path), isTold, text);
    assert.equal(readFileSync(path, "utf8"), text, "it is left as it is");
  }
  writeFileSync(path, whole.toString().split("\n")[0] ?? "");
  assert.deepEqual(peopleIn(path).list(), [{ name: "ann", role: "user" }], "as an earlier build wrote it");
});

const NODE = "small-aaaaaa" as NodeId;
const VMS = new Map([["vm of ours", { project: "p", zone: "z", name: "burla-test-aaaaaa" }], ["vm of another project", { project: "other", zone: "z", name: "burla-test-aaaaaa" }], ["a stranger's", { project: "p", zone: "z", name: "stranger" }]]);
const enrolment = () => new Enrolment({ project: "p", check: { vmOf: (token) => Promise.resolve(VMS.get(token) ?? null) }, nodeOf: (name) => (name === "burla-test-aaaaaa" ? NODE : null) });

test("a VM that main has made gets a token for its node alone, for a while", async () => {
  const enrolling = enrolment();
  assert.equal(await enrolling.nodeOf("vm of ours"), NODE);
  const { token, expiresAt } = enrolling.issue(NODE, 1000);
  assert.deepEqual([...enrolling.valid(expiresAt - 1)], [{ nodeId: NODE, token }]);
  assert.deepEqual([...enrolling.valid(expiresAt)], []);
  assert.deepEqual(identify(`Bearer ${token}`, { owner: null, node: null, jobs: () => [], nodes: () => enrolling.valid(1001) }), { role: "node", nodeId: NODE });
});

test("no other VM, and nobody without Google's word, gets one", async () => {
  for (const identity of ["vm of another project", "a stranger's", "made up", ""]) assert.equal(await enrolment().nodeOf(identity), null, identity);
});

test("what cannot be written down has not happened, neither now nor for the next main", () => {
  const folder = join(directory, "folder");
  mkdirSync(folder);
  const file = join(folder, "people.json");
  const people = peopleIn(file);
  const token = people.add({ name: "ann", role: "user" });
  ended.length = 0;
  for (const change of [() => people.remove("ann"), () => people.add({ name: "ann", role: "viewer" }), () => people.add({ name: "bob", role: "user" })]) {
    symlinkSync("/dev/full", `${file}.part`);
    assert.throws(change, (error: NodeJS.ErrnoException) => error.code === "BURLA_STORAGE");
    for (const now of [people, peopleIn(file)]) {
      assert.deepEqual(now.list(), [{ name: "ann", role: "user" }]);
      assert.equal(roleOf(now, token), "user");
    }
  }
  assert.deepEqual(ended, [], "nobody was told");
});

test("whoever is let out, or let in anew, is told of by an id that stays with the person and goes with the person", () => {
  const people = peopleIn(path);
  const idOf = (token: string) => {
    const identity = identify(`Bearer ${token}`, { owner: null, node: null, jobs: () => [], people: () => people.hashes() });
    return identity !== null && "person" in identity ? identity.person : undefined;
  };
  const first = idOf(people.add({ name: "ann", role: "user" }));
  ended.length = 0;
  assert.equal(idOf(people.add({ name: "ann", role: "viewer" })), first, "the same person with another role");
  people.remove("ann");
  assert.deepEqual(ended.map(({ id, role }) => [id, role]), [[first, "viewer"], [first, null]]);
  assert.notEqual(idOf(people.add({ name: "ann", role: "user" })), first, "another ann");
});

test("a list of an earlier build is read", () => {
  writeFileSync(path, JSON.stringify([{ name: "ann", role: "user", hash: hashOf("token") }]));
  assert.equal(roleOf(peopleIn(path), "token"), "user");
});
