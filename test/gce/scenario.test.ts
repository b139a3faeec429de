import assert from "node:assert/strict";
import { test } from "node:test";
import { assertIncludes } from "../support/includes.ts";
import { Cloud } from "./cloud.ts";
import { INPUTS, NODES, runScenario, type Fact } from "./scenario.ts";

test("a cluster of six nodes lives through preemption, a zone without machines and a killed main, and leaves nothing", async () => {
  const facts = new Map<string, Fact>();
  await runScenario(await Cloud.start({ preemptionMs: 5_000 }), (fact) => facts.set(fact.fact, fact));
  const of = (fact: string) => facts.get(fact) ?? {};
  assertIncludes(of("up"), { nodes: NODES, groups: 2 });
  assertIncludes(of("results"), { results: INPUTS, once: true, code: 0 });
  assertIncludes(of("replaced"), { nodes: NODES });
  assert.ok((of("replaced") as { by: string[] }).by.every((machine) => !machine.includes("us-central1-a")), "none is in the zone that has no machines");
  assertIncludes(of("down"), { code: 0, left: [] });
  assertIncludes(of("left"), { resources: [] });
  assertIncludes(of("closed"), { processes: 0 });
});
