/** `npm run scenario -- gce`, on the emulator; with `--real`, `npm run test:gcp`, in a project. Prints each fact as a line of JSON. */
import assert from "node:assert/strict";
import { Cloud } from "./cloud.ts";
import { RealCloud } from "./real-cloud.ts";
import { CLUSTER, INPUTS, runScenario, type CloudUnderTest, type Fact } from "./scenario.ts";

const facts = new Map<string, Fact>();
await runScenario(await open(), (fact) => {
  facts.set(fact.fact, fact);
  console.log(JSON.stringify(fact));
});
assert.equal(facts.get("results")?.["results"], INPUTS);
assert.deepEqual(facts.get("left")?.["resources"], []);

async function open(): Promise<CloudUnderTest> {
  if (!process.argv.includes("--real")) return Cloud.start({ preemptionMs: 5_000 });
  const { GoogleProject } = await import("@burla/protocol/gce");
  return new RealCloud(await GoogleProject.open({ project: process.env["GOOGLE_CLOUD_PROJECT"] ?? null, endpoint: null }), CLUSTER);
}
