import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { COMMANDS } from "../contributions.ts";
import { initialState, LOCAL_CLUSTER, reduce } from "../clusters/state.ts";
import { aJob, aNode, aStatus, cloud, online, unreachable } from "../testing.ts";
import { TOOLTIP_COMMANDS, tooltipMarkdown } from "./tooltip.ts";
import { clockText } from "./texts.ts";

const off = initialState(LOCAL_CLUSTER);
const linksOf = (markdown: string) => [...markdown.matchAll(/\(command:([\w.]+)\)/g)].map(([, command]) => command);

describe("the tooltip of the status bar", () => {
  it("tells nodes, cores, jobs and the deadline", () => {
    const text = tooltipMarkdown(online(aStatus({ nodes: [aNode(), aNode({ state: "RUNNING" })], cpuInUse: 1, jobs: [aJob()], idleDeadline: 60_000 })));
    assert.match(text, /2 nodes: 1 ready, 1 running/);
    assert.match(text, /1 of 2 cores in use/);
    assert.match(text, /\*\*score\*\* running 42% \(420 of 1,000, 3 failed\)/);
    assert.ok(text.includes(`ends by itself at ${clockText(60_000)}`));
  });

  it("tells what a cluster on Google Cloud costs, and what keeps its machines from being made", () => {
    const text = tooltipMarkdown(cloud(aStatus({ costPerHour: 0.134, troubles: ["the quota of 4 CPUS is reached"] })));
    assert.match(text, /about \\\$0\\\.134 per hour now/);
    assert.match(text, /\$\(warning\) the quota of 4 CPUS is reached/);
  });

  it("lets a cluster on Google Cloud be started and stopped, in whatever state it is", () => {
    assert.deepEqual(linksOf(tooltipMarkdown(cloud(null))).filter((command) => command === COMMANDS.startCluster || command === COMMANDS.stopCluster), [COMMANDS.startCluster, COMMANDS.stopCluster]);
    assert.equal(linksOf(tooltipMarkdown(cloud())).filter((command) => command === COMMANDS.stopCluster).length, 1);
  });

  it("offers what fits the state", () => {
    assert.ok(linksOf(tooltipMarkdown(off)).includes(COMMANDS.startCluster));
    assert.ok(!linksOf(tooltipMarkdown(off)).includes(COMMANDS.stopCluster));
    assert.ok(linksOf(tooltipMarkdown(online())).includes(COMMANDS.stopCluster));
    assert.ok(linksOf(tooltipMarkdown(unreachable())).includes(COMMANDS.reconnect));
  });

  it("may run every command that it links to, and no other", () => {
    const states = [off, online(), unreachable(), reduce(online(), { type: "stopAsked" }), reduce(off, { type: "startAsked" })];
    const linked = new Set(states.flatMap((state) => linksOf(tooltipMarkdown(state))));
    assert.deepEqual([...linked].sort(), [...TOOLTIP_COMMANDS].sort());
  });

  it("lets no name of a job become a link or an icon", () => {
    const text = tooltipMarkdown(online(aStatus({ jobs: [aJob({ name: "[x](command:burla.stopCluster) $(zap) **b**" })] })));
    assert.equal(linksOf(text).filter((command) => command === COMMANDS.stopCluster).length, 1);
    assert.ok(text.includes("\\[x\\]\\(command:burla\\.stopCluster\\) \\$\\(zap\\) \\*\\*b\\*\\*"));
  });
});
