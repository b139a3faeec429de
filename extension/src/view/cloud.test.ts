import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloudPlan, CloudProblem } from "burla/control";
import { checkText, cloudPhaseText, cloudShare, commandIn, estimateText, problemLines, problemsQuestion, removedText, signInQuestion, startFailure, startQuestion } from "./cloud.ts";

const API: CloudProblem = { message: "the API is not enabled", cure: "Run `gcloud services enable`.", isWarning: false };
const QUOTA: CloudProblem = { message: "the quota CPUS leaves 4 of the 6 processors", cure: "Ask for more.", isWarning: true };
const PLAN: CloudPlan = {
  cluster: "trial", project: "demo-project", machines: 3, firewallRules: 2,
  prices: [{ what: "main service, e2-small", perHour: 0.017, maxPerHour: 0.017 }, { what: "2 × e2-standard-4 (node)", perHour: 0.268, maxPerHour: 0.268 }],
  pricePerHour: 0.285, maxPricePerHour: 0.285, priceList: { date: "2026-11-26", region: "us-central1", source: "a page" }, budgetPerHour: 1, idleMinutes: 30, endsAt: null, problems: [],
  start: () => Promise.reject(new Error("nobody agreed")),
};

test("the question before anything is made names project, machines, price, list, and what ends the cost", () => {
  const { message, detail } = startQuestion(PLAN);
  assert.equal(message, "Start the cluster trial on Google Cloud, for about $0.285 per hour?");
  for (const part of ["project demo-project: 3 machines and 2 firewall rules", "• 2 × e2-standard-4 (node): $0.268 per hour", "a list of 2026-11-26 for us-central1", "not been used for 30 minutes", "no machine beyond $1.00 per hour"]) {
    assert.ok(detail.includes(part), `${part} is not in:\n${detail}`);
  }
  assert.ok(!detail.includes("Note:") && !detail.includes("spot"));
  assert.match(startQuestion({ ...PLAN, maxPricePerHour: 0.6 }).detail, /About \$0\.285 per hour, \$0\.600 if there are no spot VMs, by a list/);
});

test("what the list of prices does not know, an end time, and a quota that is too small are told as well", () => {
  const { detail } = startQuestion({ ...PLAN, prices: [{ what: "1 × z9", perHour: null, maxPerHour: null }], problems: [QUOTA], endsAt: "2030-01-31T18:00:00Z", budgetPerHour: null });
  assert.match(detail, /• 1 × z9: unknown\nAbout .*, and what the list does not know/);
  assert.match(detail, /and not after 2030-01-31T18:00:00Z\.\nNote: the quota CPUS leaves 4 of the 6 processors\.$/);
  assert.equal(estimateText(PLAN), "3 machines, about $0.285 per hour");
  assert.equal(estimateText({ ...PLAN, prices: [{ what: "1 × z9", perHour: null, maxPerHour: null }] }), "3 machines, more than $0.285 per hour");
});

test("what is missing is told with its cure; of many the first, and all in the output", () => {
  const { message, detail } = problemsQuestion("demo-project", [API, QUOTA]);
  assert.match(message, /project demo-project yet\. Nothing was made/);
  assert.equal(detail, "• the API is not enabled\n   Run `gcloud services enable`.");
  assert.match(problemsQuestion("demo-project", Array<CloudProblem>(9).fill(API)).detail, /\nand 3 more$/);
  assert.deepEqual(problemLines("demo-project", [API, QUOTA]).map((line) => /all the same/.test(line)), [false, true]);
});

test("without credentials it is said how to sign in, with a command for the terminal", () => {
  const trouble = { code: "BURLA_CLOUD", message: "there are no credentials for Google Cloud: none found\nmore", cure: "Sign in with `gcloud auth application-default login`." };
  assert.equal(signInQuestion(trouble).detail, "Sign in with `gcloud auth application-default login`.\n\nDo that once, in a terminal of this machine, then try again. Nothing costs anything before you have seen the price and agreed to it.");
  assert.equal(commandIn(trouble.cure), "gcloud auth application-default login");
  assert.equal(commandIn("The output may say more."), null);
});

test("each step has its words, and the way never goes back", () => {
  assert.equal(checkText("quotas"), "asking for quotas");
  const phases = [{ phase: "network" }, { phase: "machine" }, { phase: "programs" }, { phase: "main" }, { phase: "nodes", ready: 0, wanted: 2 }, { phase: "nodes", ready: 2, wanted: 2 }] as const;
  const shares = phases.map((phase) => cloudShare(phase) ?? -1);
  assert.deepEqual(shares, [...shares].sort((a, b) => a - b));
  assert.equal(shares.at(-1), 100);
  assert.equal(cloudPhaseText(phases[4]), "0 of 2 nodes ready");
  assert.equal(cloudPhaseText({ phase: "removing", left: 1 }), "removing what was made: 1 machine left");
  assert.equal(cloudShare({ phase: "removed", removed: [] }), null);
});

test("the end says what is gone, and a failure that something may be left", () => {
  assert.equal(removedText("trial", ["burla-trial-main"]), "Nothing of the cluster trial is left on Google Cloud. Removed: burla-trial-main.");
  assert.match(removedText("trial", []), /nothing to remove/);
  assert.equal(startFailure("trial", { code: "BURLA_CLOUD", message: "the cluster trial could not be started: no machines", cure: "" }).message, "The cluster trial could not be started: no machines");
  assert.match(startFailure("trial", { code: "BURLA_CLOUD", message: "no machines", cure: "Another zone." }).detail, /^Another zone\.\nWhat was made so far may cost/);
});
