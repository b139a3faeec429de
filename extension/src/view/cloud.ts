/** What the user is told of a cluster on Google Cloud before, while and after it is made. No editor. */
import type { CloudCheck, CloudEstimate, CloudPhase, CloudPlan, CloudProblem } from "burla/control";
import { dollars, totalPriceText } from "../../../client/src/dollars.ts";
import type { Trouble } from "../clusters/state.ts";
import type { Question } from "./questions.ts";
import { countText } from "./texts.ts";

/** More problems than this are told as a number: the output has them all. */
const MAX_PROBLEMS = 6;

const CHECKS: Readonly<Record<CloudCheck, string>> = {
  credentials: "looking for credentials",
  permissions: "asking for permissions",
  api: "asking whether the API is enabled",
  accounts: "looking for the service accounts",
  quotas: "asking for quotas",
  network: "looking for the subnetwork",
  database: "looking for Firestore's database",
};

export function checkText(check: CloudCheck): string {
  return CHECKS[check];
}

/** Such as `3 machines, about $0.134 per hour`. */
export function estimateText({ machines, pricePerHour, prices }: CloudEstimate): string {
  const isWhole = prices.every(({ perHour }) => perHour !== null);
  return `${countText(machines, "machine")}, ${isWhole ? "about" : "more than"} ${dollars(pricePerHour)} per hour`;
}

/** What is asked before anything is made. */
export function startQuestion(plan: CloudPlan): Question {
  const { cluster, project, machines, firewallRules, prices, pricePerHour, problems } = plan;
  const detail = [
    `In the project ${project}: ${countText(machines, "machine")} and ${countText(firewallRules, "firewall rule")}.`,
    "",
    ...prices.map(({ what, perHour }) => `• ${what}: ${perHour === null ? "unknown" : `${dollars(perHour)} per hour`}`),
    totalPriceText(plan),
    "",
    endText(plan),
    ...problems.map(({ message }) => `Note: ${message}.`),
  ];
  return { message: `Start the cluster ${cluster} on Google Cloud, for about ${dollars(pricePerHour)} per hour?`, detail: detail.join("\n"), losesSomething: false };
}

function endText({ idleMinutes, endsAt, budgetPerHour }: CloudEstimate): string {
  const ends = [`until you stop it, or it has not been used for ${countText(idleMinutes, "minute")}`, ...(endsAt === null ? [] : [`not after ${endsAt}`])];
  return `It costs this ${ends.join(", and ")}.${budgetPerHour === null ? "" : ` It makes no machine beyond ${dollars(budgetPerHour)} per hour.`}`;
}

/** Told when Google Cloud does not know who asks. */
export function signInQuestion({ cure }: Trouble): Question {
  return { message: "Google Cloud does not know who you are here. Nothing was made.", detail: `${cure}\n\nDo that once, in a terminal of this machine, then try again. Nothing costs anything before you have seen the price and agreed to it.`, losesSomething: false };
}

/** The command line that a cure names, or null. */
export function commandIn(cure: string): string | null {
  return /`([^`]+)`/.exec(cure)?.[1] ?? null;
}

/** What must be changed first. */
export function problemsQuestion(project: string, problems: readonly CloudProblem[]): Question {
  const missing = problems.filter(({ isWarning }) => !isWarning);
  const more = missing.length > MAX_PROBLEMS ? [`and ${missing.length - MAX_PROBLEMS} more`] : [];
  return {
    message: `A cluster cannot be started in the project ${project} yet. Nothing was made.`,
    detail: [...missing.slice(0, MAX_PROBLEMS).map(({ message, cure }) => `• ${message}\n   ${cure}`), ...more].join("\n"),
    losesSomething: false,
  };
}

/** Each with its cure, for the output. */
export function problemLines(project: string, problems: readonly CloudProblem[]): string[] {
  return problems.map(({ message, cure, isWarning }) => `Project ${project}: ${message}${isWarning ? " (it can be done all the same)" : ""}. ${cure}`);
}

export function cloudPhaseText(phase: CloudPhase): string {
  switch (phase.phase) {
    case "network":
      return "making firewall rules";
    case "machine":
      return "making a machine for the main service";
    case "programs":
      return "sending the programs to it";
    case "main":
      return "waiting for the main service";
    case "nodes":
      return `${phase.ready} of ${countText(phase.wanted, "node")} ready`;
    case "removing":
      return phase.left === null ? "removing what was made" : `removing what was made: ${countText(phase.left, "machine")} left`;
    case "removed":
      return "nothing is left";
  }
}

const SHARES = { network: 0, machine: 5, programs: 25, main: 45 } as const;
const MAIN_SHARE = 60;

/** How much of the way is behind, in percent; null where that is not known. */
export function cloudShare(phase: CloudPhase): number | null {
  if (phase.phase === "removing" || phase.phase === "removed") return null;
  return phase.phase === "nodes" ? MAIN_SHARE + ((100 - MAIN_SHARE) * phase.ready) / Math.max(1, phase.wanted) : SHARES[phase.phase];
}

/** What is left of a start that was cancelled, or of a cluster that was stopped. */
export function removedText(cluster: string, removed: readonly string[]): string {
  const what = removed.length === 0 ? "There was nothing to remove." : `Removed: ${removed.join(", ")}.`;
  return `Nothing of the cluster ${cluster} is left on Google Cloud. ${what}`;
}

/** Told when a start has failed; what was made until then is still there. */
export function startFailure(cluster: string, { message, cure }: Trouble): Question {
  const [what = ""] = message.split("\n");
  const told = what.startsWith("the cluster") ? `T${what.slice(1)}` : `The cluster ${cluster} could not be started: ${what}`;
  return { message: told, detail: `${cure}\nWhat was made so far may cost money until it is removed.`, losesSomething: false };
}
