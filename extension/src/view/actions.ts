/** What may be done now, for the quick pick behind the status bar item. */
import { liveJobs, type ClusterState, type LinkKind } from "../clusters/state.ts";
import { COMMANDS, type CommandId } from "../contributions.ts";
import { countText, jobStateText } from "./texts.ts";
import { linkWord } from "./cluster-rows.ts";

export interface Action {
  readonly command: CommandId;
  readonly icon: string;
  readonly label: string;
  readonly description: string;
}

/** One that does not answer, or has another version, can only be ended. */
const STOPPABLE: readonly LinkKind[] = ["online", "unreachable", "error"];

/** The title of the quick pick. */
export function actionsTitle(state: ClusterState): string {
  return `Burla: ${state.ref.label} (${linkWord(state.link)})`;
}

/** The most likely first. */
export function actionsFor(state: ClusterState): Action[] {
  const { link, ref, status } = state;
  const isLocal = ref.url === null;
  const jobs = liveJobs(status);
  const [first] = jobs;
  const running = first !== undefined && jobs.length === 1 ? `${first.name}, ${jobStateText(first)}` : `${countText(jobs.length, "job")} running`;
  const actions: (Action | false)[] = [
    link.kind === "unreachable" || link.kind === "error" ? action(COMMANDS.reconnect, "refresh", "Try Again", link.trouble.message) : false,
    isLocal && (link.kind === "off" || link.kind === "error") ? action(COMMANDS.startCluster, "play", "Start Cluster", "on this machine") : false,
    jobs.length > 0 ? action(COMMANDS.showJobs, "tasklist", "Show Jobs", running) : false,
    action(COMMANDS.chooseCluster, "server-environment", "Choose Cluster…", ref.label),
    jobs.length === 0 ? action(COMMANDS.showJobs, "tasklist", "Show Jobs") : false,
    action(COMMANDS.showOutput, "output", "Show Output"),
    isLocal ? action(COMMANDS.openClusterLog, "file", "Open Cluster Log") : false,
    isLocal && STOPPABLE.includes(link.kind) ? action(COMMANDS.stopCluster, "debug-stop", "Stop Cluster…", jobs.length > 0 ? `asks first: ${running}` : "no job is running") : false,
    action(COMMANDS.openSettings, "gear", "Open Settings"),
    action(COMMANDS.openWalkthrough, "mortar-board", "Get Started"),
  ];
  return actions.filter((each) => each !== false);
}

function action(command: CommandId, icon: string, label: string, description = ""): Action {
  const [firstLine = ""] = description.split("\n");
  return { command, icon, label, description: firstLine };
}
