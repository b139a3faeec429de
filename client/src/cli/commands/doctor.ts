/** `burla doctor`: what is wrong with the set-up, and how to mend it. */
import type { Command } from "commander";
import { messageOf } from "@burla/protocol";
import { fail, type Check, type Finding } from "../doctor/check.ts";
import { clusterChecks, jobCheck } from "../doctor/cluster-checks.ts";
import { machineChecks } from "../doctor/machine-checks.ts";
import { programChecks } from "../doctor/program-checks.ts";
import { stateChecks } from "../doctor/state-checks.ts";
import { EXIT, type EndWith } from "../exit-codes.ts";
import { jsonOption, type CommonOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { countText } from "../texts.ts";

interface DoctorFlags extends CommonOptions {
  readonly job: boolean;
}

type Named = Finding & { readonly name: string };

const NAME_WIDTH = 14;

const HELP = `
Exit status 1 if any check fails.

Examples:
  $ burla doctor
  $ burla doctor --json | jq '.checks[] | select(.state != "ok")'`;

export function addDoctor(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("doctor")
    .summary("what is wrong with the set-up, and how to mend it")
    .description("Check this installation, the machine, the state folder and the local cluster, and run a tiny job.\nA cluster that was not running is ended again.")
    .option("--no-job", "do not run the tiny job")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async ({ job, json }: DoctorFlags) => {
      const checks = [...programChecks, ...machineChecks, ...stateChecks, ...clusterChecks, ...(job ? [jobCheck] : [])];
      const findings: Named[] = [];
      for (const check of checks) {
        const finding = { name: check.name, ...(await examine(check)) };
        findings.push(finding);
        if (json !== true) await terminal.line(lineText(finding));
      }
      const failed = findings.filter(({ state }) => state === "fail").length;
      if (json === true) await terminal.line(JSON.stringify({ ok: failed === 0, checks: findings }));
      else await terminal.line(failed === 0 ? "\nThe set-up works." : `\n${countText(failed, "check")} failed.`);
      endWith(failed === 0 ? EXIT.ok : EXIT.failed);
    });
}

async function examine(check: Check): Promise<Finding> {
  try {
    return await check.run();
  } catch (error) {
    return fail(messageOf(error), "With BURLA_DEBUG=1 `burla` shows where errors come from.");
  }
}

/** Such as `warn  disk            500 MiB free`, then the cure. */
function lineText({ state, name, detail, cure }: Named): string {
  const line = `${state.padEnd(4)}  ${name.padEnd(NAME_WIDTH)}  ${detail}`;
  return cure === "" ? line : `${line}\n      ${" ".repeat(NAME_WIDTH)}  ${cure}`;
}
