/** What holds for every store of a cluster's state. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { STATE_KINDS, type StateStore } from "../../services/main/src/state/state-store.ts";

/** @param open a store of the same place each time it is called within a test. */
export function stateStoreContract(open: () => StateStore): void {
  let store: StateStore;
  beforeEach(() => {
    store = open();
  });
  afterEach(() => store.close());

  for (const kind of STATE_KINDS) {
    test(`a record of ${kind} is what was put last, also for the next main`, async () => {
      const value = { text: "ä \u0000 \"'", numbers: [1, -0.5], nothing: null, deep: { yes: true } };
      await store.put(kind, "one", { old: true });
      await store.put(kind, "one", value);
      assert.deepEqual(await store.get(kind, "one"), { id: "one", value });
      const next = open();
      assert.deepEqual(await next.get(kind, "one"), { id: "one", value });
      await next.close();
    });
  }

  test("there is nothing where nothing was put", async () => {
    assert.equal(await store.get("jobs", "none"), null);
    assert.deepEqual(await store.list("nodes"), []);
    await store.delete("users", "none");
  });

  test("all records of a kind, by id, and no others", async () => {
    const ids = Array.from({ length: 230 }, (_, at) => `job-${String(at).padStart(4, "0")}`);
    await Promise.all(ids.map((id, at) => store.put("jobs", id, at)));
    await store.put("nodes", "other", 1);
    assert.deepEqual(await store.list("jobs"), ids.map((id, value) => ({ id, value })));
  });

  test("a deleted record is gone", async () => {
    await store.put("users", "a", 1);
    await store.put("users", "b", 2);
    await store.delete("users", "a");
    assert.equal(await store.get("users", "a"), null);
    assert.deepEqual(await store.list("users"), [{ id: "b", value: 2 }]);
  });

  test("writers at once leave a whole record of one of them", async () => {
    const values = Array.from({ length: 20 }, (_, at) => ({ at, padding: "x".repeat(5000) }));
    await Promise.all(values.map((value) => store.put("spec", "s", value)));
    const { at } = (await store.get("spec", "s"))?.value as { at: number };
    assert.deepEqual((await store.get("spec", "s"))?.value, values[at]);
  });

  for (const id of ["", "..", "a/b", ".hidden", "x".repeat(200), "a\u0000"]) {
    test(`${JSON.stringify(id.slice(0, 20))} is no id`, async () => {
      await assert.rejects(async () => store.put("jobs", id, 1), TypeError);
      await assert.rejects(async () => store.get("jobs", id), TypeError);
    });
  }
}
