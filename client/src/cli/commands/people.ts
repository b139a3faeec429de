/** `burla people`: who may use a cluster beside its owner. */
import { Option, type Command } from "commander";
import { resolveCluster } from "../../cluster.ts";
import { Control } from "../../control/requests.ts";
import { EXIT, type ExitCode, type EndWith } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { clusterOption, jsonOption, type ClusterOptions } from "../options.ts";
import { tableText } from "../table.ts";
import type { Terminal } from "../terminal.ts";

interface PeopleFlags extends ClusterOptions {
  readonly add?: string;
  readonly remove?: string;
  readonly role: "user" | "viewer";
}

const HELP = `
A user runs and cancels jobs, a viewer looks. Only the owner, who started the cluster, ends it and says who may use it.
The token of --add is shown this once; adding the same name again ends the old one.

Examples:
  $ burla people --cluster trial --add ann --role viewer
  $ burla people --cluster trial --remove ann`;

export function addPeople(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("people")
    .summary("who may use a cluster")
    .description("Show who may use a cluster beside its owner, let somebody in, or out.")
    .option("--add <name>", "make a token for somebody")
    .addOption(new Option("--role <role>", "what they may do").choices(["user", "viewer"]).default("user"))
    .option("--remove <name>", "end somebody's token")
    .addOption(clusterOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (flags: PeopleFlags) => endWith(await people(flags, terminal)));
}

async function people({ cluster, add, remove, role, json }: PeopleFlags, terminal: Terminal): Promise<ExitCode> {
  if (add !== undefined && remove !== undefined) throw new UsageError("--add and --remove are two commands");
  const address = resolveCluster(cluster).address();
  const control = new Control(address);
  if (add !== undefined) {
    const token = await control.addPerson({ name: add, role });
    const { url, certificate } = address;
    await terminal.line(json === true ? JSON.stringify({ name: add, role, url, token, certificate: certificate ?? null }) : accessText({ url, token, certificate }));
    return EXIT.ok;
  }
  if (remove !== undefined) await control.removePerson(remove);
  const list = await control.people();
  await terminal.line(json === true ? JSON.stringify({ people: list }) : list.length === 0 ? "Nobody but the owner." : tableText(["name", "role"], list.map((person) => [person.name, person.role])));
  return EXIT.ok;
}

/** What they set in their shell. */
function accessText({ url, token, certificate }: { url: string; token: string; certificate: string | undefined }): string {
  const pem = certificate === undefined ? [] : [`export BURLA_CERTIFICATE='${certificate.trim()}'`];
  return [`export BURLA_CLUSTER=${url}`, `export BURLA_TOKEN=${token}`, ...pem].join("\n");
}
