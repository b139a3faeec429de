/**
 * `npm run scenario -- gce`, on emulators, with queue and state in Firestore; with `--real`, `npm run test:gcp`, in a
 * project, with the queue in main. The word `stream` or `firestore` says otherwise. Prints each fact as a line of JSON.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { Cloud } from "./cloud.ts";
import { startWithFirestore } from "./firestore-cloud.ts";
import { RealCloud } from "./real-cloud.ts";
import { CLUSTER, INPUTS, runScenario, type CloudUnderTest, type Fact, type Queue } from "./scenario.ts";

const OPTIONS = { preemptionMs: 5_000 };
const { values: { real }, positionals: [wanted] } = parseArgs({ options: { real: { type: "boolean", default: false } }, allowPositionals: true });
const queue: Queue = wanted === undefined ? (real ? "stream" : "firestore") : queueOf(wanted);
const facts = new Map<string, Fact>();
await runScenario(await open(), queue, (fact) => {
  facts.set(fact.fact, fact);
  console.log(JSON.stringify(fact));
});
assert.equal(facts.get("results")?.["results"], INPUTS);
assert.deepEqual(facts.get("left")?.["resources"], []);

async function open(): Promise<CloudUnderTest> {
  if (!real) return queue === "firestore" ? startWithFirestore(OPTIONS) : Cloud.start(OPTIONS);
  const { GoogleProject } = await import("@burla/protocol/gce");
  return new RealCloud(await GoogleProject.open({ project: process.env["GOOGLE_CLOUD_PROJECT"] ?? null, endpoint: null }), CLUSTER);
}

function queueOf(text: string): Queue {
  if (text === "stream" || text === "firestore") return text;
  throw new Error(`a queue is "stream" or "firestore", not "${text}"`);
}
