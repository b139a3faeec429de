/** What keeps VMs from being made, in words for people. Pure. */
import type { GceFailure } from "@burla/protocol";
import type { Fleet } from "./fleet.ts";

/** Each reason once, the most recent state of it. */
export function troublesOf(fleet: Fleet, nowMs: number): string[] {
  const { spec, avoided, failures, isOverBudget } = fleet;
  const texts = new Set<string>();
  for (const [key, { untilMs, failure }] of avoided) {
    if (untilMs <= nowMs) continue;
    texts.add(failure.kind === "quota" ? quotaText(failure.message) : `${placeText(key, failure)} (asked again in ${durationText(untilMs - nowMs)})`);
  }
  for (const [group, { untilMs, failure }] of failures) {
    if (untilMs > nowMs) texts.add(`group ${group}: Google refuses its VMs: ${failure.message}`);
  }
  if (isOverBudget && spec.budgetPerHour !== null) texts.add(`the budget of $${spec.budgetPerHour} per hour is reached`);
  return [...texts];
}

/** From `Quota 'CPUS' exceeded.  Limit: 8.0 in region us-central1.` */
function quotaText(message: string): string {
  const [, metric, limit, region] = /Quota '(\w+)' exceeded\.\s+Limit: ([\d.]+) in region ([\w-]+?)\.?$/.exec(message) ?? [];
  return metric === undefined ? `a quota is reached: ${message}` : `the quota of ${Number(limit)} ${metric} in ${region ?? ""} is reached`;
}

function placeText(key: string, failure: GceFailure): string {
  const [machineType = "", zone = "", how] = key.split(" ");
  if (failure.kind === "unsupported") return `${zone} never has ${machineType}`;
  if (failure.kind !== "stockout") return `making ${machineType} in ${zone} failed again and again: ${failure.message}`;
  return `${zone} has no ${how === "spot" ? "spot " : ""}${machineType} now`;
}

function durationText(ms: number): string {
  return ms < 90_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
