import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudName, cloudNameProblem, projectProblem } from "./cloud-names.ts";

test("the usual name is the first that is free", () => {
  assert.equal(cloudName([]), "cloud");
  assert.equal(cloudName(["cloud", "cloud-3"]), "cloud-2");
});

test("a name is one that Google and a folder can have, and is nobody else's", () => {
  assert.equal(cloudNameProblem("trial-2", []), null);
  for (const text of ["", "Trial", "2nd", "a".repeat(32), "a/b", "../x"]) assert.match(cloudNameProblem(text, []) ?? "", /letter/);
  assert.match(cloudNameProblem("local", []) ?? "", /this machine/);
  assert.match(cloudNameProblem("trial", ["trial"]) ?? "", /There is/);
});

test("a project is named by its id", () => {
  for (const text of ["my-project-123456", " demo-project ", "example.com:my-project"]) assert.equal(projectProblem(text), null);
  for (const text of ["", "My Project", "1234567890", "x"]) assert.match(projectProblem(text) ?? "", /id of a project/);
});
