import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GceFailure } from "@burla/protocol";
import { costPerHour, wantedNodes, type FleetCommand, type Observed, type Vm } from "./fleet.ts";
import { groupOf, TestFleet } from "./testing.ts";

const KINDS: readonly GceFailure["kind"][] = ["quota", "stockout", "rate-limit", "transient", "denied", "not-found", "exists", "invalid", "unsupported"];
const BUDGET = 2;

/** A cloud that is asked and answers when it likes, with what it likes. */
class RandomCloud {
  readonly test = new TestFleet({ groups: [groupOf({ name: "a", count: 3, spot: "preferred" }), groupOf({ name: "b", count: 2, pricePerHour: 0.5 })], growNodes: 2, growIdleMs: 5_000, budgetPerHour: BUDGET, bootMs: 60_000, silentMs: 10_000 }, { isKnown: false });
  readonly asked: { vm: Vm; type: "insert" | "delete" }[] = [];
  readonly there = new Map<string, Observed>();

  take(commands: readonly FleetCommand[]): void {
    for (const command of commands) if (command.type !== "gone") this.asked.push(command);
    this.check();
  }

  look(): void {
    const askedMs = this.test.nowMs;
    this.take(this.test.step({ type: "observed", instances: [...this.there.values()], askedMs }));
  }

  /** The request at this place is answered. */
  answer(at: number, failure: GceFailure["kind"] | null): void {
    const [request] = this.asked.splice(at % Math.max(1, this.asked.length), 1);
    if (request === undefined) return;
    const { vm, type } = request;
    const { name, group, zone, isSpot } = vm;
    if (type === "insert") {
      // "exists" is said of what is there; a lost answer may be of either.
      if (failure === null || failure === "exists") this.there.set(name, { name, group, zone, isSpot, status: "RUNNING" });
      this.take(this.test.step(failure === null ? { type: "inserted", name } : { type: "insertFailed", name, failure: { kind: failure, message: failure, isOfOperation: at % 2 === 1 } }));
    } else {
      if (failure === null || failure === "not-found") this.there.delete(name);
      this.take(this.test.step(failure === null ? { type: "deleted", name } : { type: "deleteFailed", name, failure: { kind: failure, message: failure } }));
    }
  }

  check(): void {
    const { fleet, vms } = this.test;
    const wanted = wantedNodes(fleet);
    const names = this.asked.map(({ vm, type }) => `${type} ${vm.name}`);
    assert.equal(new Set(names).size, names.length, "no request is under way twice");
    for (const { vm } of this.asked) assert.ok(vm.isAsked || !fleet.vms.has(vm.name), `${vm.name} does not know that it is asked about`);
    for (const [group, count] of fleet.isStopping ? [] : wanted) {
      const making = vms.filter((vm) => vm.group === group && vm.phase === "creating").length;
      const live = vms.filter((vm) => vm.group === group && vm.phase !== "deleting").length;
      assert.ok(making === 0 || live <= Math.max(count, live - making) + making, "no more than wanted");
    }
    assert.ok(costPerHour(fleet) <= BUDGET + 1e-9, `costs ${costPerHour(fleet)}`);
  }

  /** From now on everything works. */
  calm(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      while (this.asked.length > 0) this.answer(0, null);
      this.look();
      for (const vm of this.test.vms) if (vm.phase === "booting") this.take(this.test.step({ type: "joined", nodeId: vm.nodeId }));
      this.take(this.test.after(60_000));
    }
  }
}

const acts = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("answer" as const), at: fc.nat(20), failure: fc.option(fc.constantFrom(...KINDS)) }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 200_000 }), workers: fc.nat(20) }),
    fc.record({ do: fc.constant("look" as const) }),
    fc.record({ do: fc.constant("join" as const), at: fc.nat(10) }),
    fc.record({ do: fc.constant("lose" as const), at: fc.nat(10) }),
    fc.record({ do: fc.constant("vanish" as const), at: fc.nat(10), isOff: fc.boolean() }),
  ),
  { maxLength: 60 },
);
type Act = typeof acts extends fc.Arbitrary<infer List extends readonly unknown[]> ? List[number] : never;

function perform(cloud: RandomCloud, act: Act): void {
  const vmAt = (at: number) => cloud.test.vms[at % Math.max(1, cloud.test.vms.length)];
  switch (act.do) {
    case "answer":
      return cloud.answer(act.at, act.failure);
    case "wait":
      return cloud.take(cloud.test.after(act.ms, { demands: act.workers === 0 ? [] : [{ workers: act.workers, cpu: 1, ramMiB: 0, nodes: 2 }] }));
    case "look":
      return cloud.look();
    case "join":
    case "lose": {
      const vm = vmAt(act.at);
      return vm === undefined ? undefined : cloud.take(cloud.test.step({ type: act.do === "join" ? "joined" : "lost", nodeId: vm.nodeId }));
    }
    case "vanish": {
      const found = [...cloud.there.values()][act.at % Math.max(1, cloud.there.size)];
      if (found === undefined) return;
      if (act.isOff) cloud.there.set(found.name, { ...found, status: "TERMINATED" });
      else cloud.there.delete(found.name);
    }
  }
}

test("whatever happens, all nodes are there in the end, within the budget, and nothing else is", () => {
  fc.assert(
    fc.property(acts, (list) => {
      const cloud = new RandomCloud();
      for (const act of list) perform(cloud, act);
      cloud.calm(60);
      const counts = ["a", "b"].map((group) => cloud.test.vms.filter((vm) => vm.group === group && vm.phase === "joined").length);
      assert.deepEqual(counts, [3, 2]);
      assert.equal(cloud.there.size, 5);
      assert.equal(cloud.test.vms.length, 5);
    }),
    { numRuns: 300 },
  );
});

test("whatever happened, nothing is left when the cluster ends", () => {
  fc.assert(
    fc.property(acts, (list) => {
      const cloud = new RandomCloud();
      for (const act of list) perform(cloud, act);
      cloud.take(cloud.test.step({ type: "stop" }));
      cloud.calm(60);
      assert.equal(cloud.there.size, 0);
      assert.deepEqual(cloud.test.vms, []);
    }),
    { numRuns: 300 },
  );
});
