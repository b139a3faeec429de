import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DamageError, type NodeId } from "@burla/protocol";
import { hashOf, identify } from "./auth.ts";
import { Enrolment } from "./enrolment.ts";
import { People } from "./people.ts";
import { OpenFiles } from "./store/open-files.ts";

const files = new OpenFiles();
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-people-"));
  path = join(directory, "people.json");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const roleOf = (people: People, token: string) => identify(`Bearer ${token}`, { owner: null, node: null, jobs: () => [], people: () => people.hashes() })?.role ?? null;

test("somebody who was let in is known by the token, also to the next main, until let out", () => {
  const token = new People(path, null, files).add({ name: "ann", role: "viewer" });
  const people = new People(path, hashOf("the owner's"), files);
  assert.equal(roleOf(people, token), "viewer");
  assert.equal(roleOf(people, "the-owners"), null);
  assert.deepEqual(people.list(), [{ name: "ann", role: "viewer" }]);
  const second = people.add({ name: "ann", role: "user" });
  assert.deepEqual([roleOf(people, token), roleOf(people, second)], [null, "user"], "the old token has ended");
  assert.deepEqual([people.remove("ann"), people.remove("ann")], [true, false]);
  assert.equal(roleOf(people, second), null);
});

test("the file holds no token, and is its owner's alone", () => {
  const token = new People(path, null, files).add({ name: "ann", role: "user" });
  assert.ok(!readFileSync(path, "utf8").includes(token));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a list that is damaged is an error that names the file and what to do, and never an empty list", () => {
  new People(path, null, files).add({ name: "ann", role: "user" });
  const whole = readFileSync(path);
  const isTold = (error: Error) => error instanceof DamageError && error.message.startsWith(`${path} is damaged`) && error.cure.startsWith("Put back a copy");
  for (let bit = 0; bit < 8 * whole.byteLength; bit++) {
    const changed = Buffer.from(whole);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    writeFileSync(path, changed);
    assert.throws(() => new People(path, null, files), isTold, `bit ${bit}`);
  }
  for (const text of ["", "[", "{}", '[{"name":"ann"}]']) {
    writeFileSync(path, text);
    assert.throws(() => new People(path, null, files), isTold, text);
    assert.equal(readFileSync(path, "utf8"), text, "it is left as it is");
  }
  writeFileSync(path, whole.toString().split("\n")[0] ?? "");
  assert.deepEqual(new People(path, null, files).list(), [{ name: "ann", role: "user" }], "as an earlier build wrote it");
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
