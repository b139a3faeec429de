import assert from "node:assert/strict";
import { test } from "node:test";
import { assertIncludes } from "../support/includes.ts";
import { Cloud } from "./cloud.ts";
import { startWithFirestore } from "./firestore-cloud.ts";
import { INPUTS, NODES, runScenario, type CloudUnderTest, type Fact, type Queue } from "./scenario.ts";

const OPTIONS = { preemptionMs: 5_000 };
const STORY = "a cluster of six nodes lives through preemption, a zone without machines and a killed main, and leaves nothing";

test(STORY, async () => assertWhole("stream", await Cloud.start(OPTIONS)));

test(`with queue and state in Firestore, ${STORY}`, async () => assertWhole("firestore", await startWithFirestore(OPTIONS)));

async function assertWhole(queue: Queue, cloud: CloudUnderTest): Promise<void> {
  const facts = new Map<string, Fact>();
  await runScenario(cloud, queue, (fact) => facts.set(fact.fact, fact));
  const of = (fact: string) => facts.get(fact) ?? {};
  assertIncludes(of("up"), { queue, nodes: NODES, groups: 2 });
  assertIncludes(of("results"), { results: INPUTS, once: true, code: 0 });
  assertIncludes(of("replaced"), { nodes: NODES });
  assert.ok((of("replaced") as { by: string[] }).by.every((machine) => !machine.includes("us-central1-a")), "none is in the zone that has no machines");
  assertIncludes(of("down"), { code: 0, left: [] });
  assertIncludes(of("left"), { resources: [] });
  assertIncludes(of("closed"), { processes: 0 });
}
