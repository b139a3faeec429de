/** `burla cancel`: ends jobs. */
import type { Command } from "commander";
import { cancelJob } from "../../control/jobs.ts";
import type { Cancelled } from "../../control/types.ts";
import { EXIT, type EndWith } from "../exit-codes.ts";
import { clusterOption, definedOnly, jsonOption, type ClusterOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";

const HELP = `
Examples:
  $ burla cancel job-01j9x3k5v7abcdefghj
  $ burla jobs --running --json | jq -r '.[].jobId' | xargs burla cancel`;

export function addCancel(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("cancel")
    .summary("end jobs")
    .description("Cancel jobs. Results that are there already stay; calls that run are killed.")
    .argument("<job...>", "ids of jobs")
    .addOption(clusterOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (jobIds: string[], { cluster, json }: ClusterOptions) => {
      const cancelled: Cancelled[] = [];
      for (const jobId of jobIds) {
        const one = await cancelJob(jobId, definedOnly({ cluster }));
        cancelled.push(one);
        if (json !== true) await terminal.line(one.wasOver ? `${jobId} had ended before: ${one.phase}` : `${jobId} is ${one.phase}`);
      }
      if (json === true) await terminal.line(JSON.stringify(cancelled));
      endWith(EXIT.ok);
    });
}
