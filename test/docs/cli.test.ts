/** `docs/cli.md` is compared with the command itself. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EXIT } from "../../client/src/cli/exit-codes.ts";
import { createProgram } from "../../client/src/cli/program.ts";
import { Terminal } from "../../client/src/cli/terminal.ts";

const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
const commands = createProgram(new Terminal(), () => undefined).commands;

test("the page lists every command with its summary, and no other", () => {
  const listed = [...page.matchAll(/^\| \[`(\w+)`\]\(#\1\) \| (.*) \|$/gm)].map(([, name, summary]) => [name, summary]);
  assert.deepEqual(listed, commands.map((command) => [command.name(), command.summary()]));
});

for (const command of commands) {
  test(`the section of ${command.name()} names its options, and no other`, () => {
    const [section = ""] = page.slice(page.indexOf(`\n## ${command.name()}\n`) + 1).split(/\n## (?!#)/, 1);
    const shared = command.name() === "attach" ? ["--json"] : ["--json", "--format", "--detach"];
    const flags = command.options.map(({ long }) => long ?? "");
    for (const flag of flags) assert.ok(flag === "--json" || section.includes(`\`${flag}\``) || section.includes(`\`${flag} `), `${flag} is missing`);
    for (const [, flag = ""] of section.matchAll(/`(--[a-z-]+)/g)) assert.ok(flags.includes(flag) || shared.includes(flag), `there is no ${flag}`);
  });
}

test("the page lists every exit status", () => {
  const table = page.slice(page.indexOf("## Exit status"));
  assert.deepEqual([...table.matchAll(/^\| (\d+) \|/gm)].map(([, status]) => Number(status)), Object.values(EXIT));
});
