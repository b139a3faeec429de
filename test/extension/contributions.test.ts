import assert from "node:assert/strict";
import { suite, test } from "mocha";
import * as vscode from "vscode";
import { COMMANDS } from "../../extension/src/contributions.ts";

const extension = () => {
  const found = vscode.extensions.getExtension("burla.burla-vscode");
  assert.ok(found !== undefined, "VS Code does not know the extension");
  return found;
};

suite("contributions", () => {
  test("the manifest's commands are those that the code registers", async () => {
    await extension().activate();
    const { contributes } = extension().packageJSON as { contributes: { commands: { command: string }[] } };
    const declared = contributes.commands.map(({ command }) => command).sort();
    const registered = (await vscode.commands.getCommands(true)).filter((id) => id.startsWith("burla.")).sort();
    assert.deepEqual(declared, Object.values<string>(COMMANDS).sort());
    for (const id of declared) assert.ok(registered.includes(id), `${id} is not registered`);
  });
});
