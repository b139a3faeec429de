/** What the documents say is compared with what is there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const documents = ["README.md", "examples/README.md", ...readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];

test("every link to a file leads somewhere", () => {
  for (const document of documents) {
    for (const [, target] of read(document).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(document), target ?? "")), `${document} links to ${target}`);
    }
  }
});

test("every command of the README is a script of the project", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  for (const [, name] of read("README.md").matchAll(/npm run ([\w:]+)/g)) assert.ok(scripts[name ?? ""] !== undefined, `npm run ${name}`);
  assert.ok(scripts["test"] !== undefined);
});

test("the guide names every option and view, and no other", () => {
  const guide = read("docs/guide.md");
  const table = guide.slice(guide.indexOf("## Options"), guide.indexOf("## Errors"));
  const named = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(named.sort(), members("MapOptions").sort());
  for (const member of members("RemoteResults")) assert.match(guide, new RegExp(`results\\.${member}\\b`));
  for (const member of members("CallContext")) assert.match(guide, new RegExp(`\`${member}\\b`));
});

/** The property names of an interface in the client's public types. */
function members(name: string): string[] {
  const source = ts.createSourceFile("types.ts", read("client/src/types.ts"), ts.ScriptTarget.Latest);
  const found = source.statements.find((statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === name);
  assert.ok(found !== undefined && ts.isInterfaceDeclaration(found));
  return found.members.flatMap((member) => (member.name !== undefined && ts.isIdentifier(member.name) ? [member.name.text] : []));
}
