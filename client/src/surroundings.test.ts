import assert from "node:assert/strict";
import { test } from "node:test";
import { surroundingsOf } from "./surroundings.ts";

const asked = { GIVEN: "yes", GONE: undefined };
const pairs = [["GIVEN", "yes"], ["GONE", null]];

function withVariables<Value>(variables: Record<string, string | undefined>, run: () => Value): Value {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  try {
    return run();
  } finally {
    for (const name of Object.keys(variables)) {
      Reflect.deleteProperty(process.env, name);
      if (before[name] !== undefined) process.env[name] = before[name];
    }
  }
}

test("on the same machine all goes along but our own variables; elsewhere what is named, and nothing else", () => {
  withVariables({ A_SECRET: "mine", BURLA_TOKEN: "ours", constructor: "odd" }, () => {
    const here = surroundingsOf({ place: "this-machine" }, asked);
    const names = new Map(here.environment);
    assert.deepEqual([here.cwd, here.env, names.get("A_SECRET"), names.get("constructor"), names.has("BURLA_TOKEN")], [process.cwd(), pairs, "mine", "odd", false]);
    assert.deepEqual(surroundingsOf({ place: "elsewhere" }, asked), { cwd: null, env: pairs, environment: null });
  });
});

test("in a container what was changed since its start counts as named, and the option goes over it", () => {
  withVariables({ CHANGED: "since", GIVEN: "less", BURLA_X: "ours", PATH: process.env["PATH"], HOME: undefined }, () => {
    const { env, environment } = surroundingsOf({ place: "same-image" }, asked);
    const variables = new Map(env);
    assert.equal(environment, null);
    assert.deepEqual([variables.get("CHANGED"), variables.get("GIVEN"), variables.get("HOME"), variables.has("PATH"), variables.has("BURLA_X")], ["since", "yes", null, false, false]);
  });
});
