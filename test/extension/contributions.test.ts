/** What the editor made of the manifest. Its comparison with the code is in extension/src/contributions.test.ts. */
import assert from "node:assert/strict";
import { suite, test } from "mocha";
import * as vscode from "vscode";

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly views?: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly configuration?: { readonly properties: Readonly<Record<string, unknown>> };
  };
}

suite("contributions", () => {
  test("the commands of the manifest are those that are registered", async () => {
    const { commands, views = {} } = await contributes();
    const declared = commands.map(({ command }) => command).sort();
    // The editor makes commands of its own for each view.
    const viewIds = Object.values(views).flatMap((inContainer) => inContainer.map(({ id }) => `${id}.`));
    const registered = (await vscode.commands.getCommands(true)).filter((id) => id.startsWith("burla.") && !viewIds.some((view) => id.startsWith(view)));
    assert.deepEqual(registered.sort(), declared);
  });

  test("the editor knows every setting with its default", async () => {
    const { configuration = { properties: {} } } = await contributes();
    for (const name of Object.keys(configuration.properties)) {
      assert.notEqual(vscode.workspace.getConfiguration().inspect(name)?.defaultValue, undefined, name);
    }
  });
});

async function contributes(): Promise<Manifest["contributes"]> {
  const extension = vscode.extensions.getExtension("burla.burla-vscode");
  assert.ok(extension !== undefined, "VS Code does not know the extension");
  await extension.activate();
  return (extension.packageJSON as Manifest).contributes;
}
