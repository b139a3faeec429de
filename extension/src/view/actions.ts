/** What may be done now, for the quick pick behind the status bar item. */
import { liveJobs, mayStop, type ClusterState } from "../clusters/state.ts";
import { COMMANDS, type CommandId } from "../contributions.ts";
import { countText, jobStateText } from "./texts.ts";
import { linkWord } from "./cluster-rows.ts";

export interface Action {
  readonly command: CommandId;
  readonly icon: string;
  readonly label: string;
  readonly description: string;
}

/** The title of the quick pick. */
export function actionsTitle(state: ClusterState): string {
  return `Burla: ${state.ref.label} (${linkWord(state.link)})`;
}

/** The most likely first. */
export function actionsFor(state: ClusterState): Action[] {
  const { link, ref, status } = state;
  const isLocal = ref.kind === "local";
  const isOwn = ref.kind !== "address";
  const jobs = liveJobs(status);
  const [first] = jobs;
  const running = first !== undefined && jobs.length === 1 ? `${first.name}, ${jobStateText(first)}` : `${countText(jobs.length, "job")} running`;
  const actions: (Action | false)[] = [
    link.kind === "unreachable" || link.kind === "error" ? action(COMMANDS.reconnect, "refresh", "Try Again", link.trouble.message) : false,
    isOwn && (link.kind === "off" || link.kind === "error") ? action(COMMANDS.startCluster, "play", "Start Cluster", isLocal ? "on this machine" : "on Google Cloud, as it was") : false,
    jobs.length > 0 ? action(COMMANDS.showJobs, "tasklist", "Show Jobs", running) : false,
    action(COMMANDS.chooseCluster, "server-environment", "Choose Cluster…", ref.label),
    action(COMMANDS.startCloudCluster, "cloud", "Start a Cluster on Google Cloud…", "tells the price first"),
    jobs.length === 0 ? action(COMMANDS.showJobs, "tasklist", "Show Jobs") : false,
    action(COMMANDS.showOutput, "output", "Show Output"),
    isLocal ? action(COMMANDS.openClusterLog, "file", "Open Cluster Log") : false,
    mayStop(ref, link) ? action(COMMANDS.stopCluster, "debug-stop", "Stop Cluster…", stopText(state, running)) : false,
    action(COMMANDS.openSettings, "gear", "Open Settings"),
    action(COMMANDS.openWalkthrough, "mortar-board", "Get Started"),
  ];
  return actions.filter((each) => each !== false);
}

function stopText({ ref, link, status }: ClusterState, running: string): string {
  if (liveJobs(status).length > 0) return `asks first: ${running}`;
  if (ref.kind === "local") return "no job is running";
  return link.kind === "online" ? "removes its machines: no job is running" : "asks first: removes what there is of it";
}

function action(command: CommandId, icon: string, label: string, description = ""): Action {
  const [firstLine = ""] = description.split("\n");
  return { command, icon, label, description: firstLine };
}
