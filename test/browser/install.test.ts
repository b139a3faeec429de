/** A person installs the package into a fresh VS Code and opens a folder. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../scripts/vscode/paths.ts";
import { useWorkbench } from "./workbench.ts";

const test = useWorkbench();

test("the palette offers every command that does not depend on a state", async ({ quickInput }) => {
  const { contributes } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Manifest;
  const dependent = new Set(contributes.menus?.commandPalette?.filter(({ when }) => when !== undefined).map(({ command }) => command));
  const titles = contributes.commands.filter(({ command, enablement }) => !dependent.has(command) && enablement === undefined).map(({ title }) => `Burla: ${title}`);
  assert.ok(titles.length > 0);
  for (const title of titles) await quickInput.offers(`>${title}`, title);
});

test("a command answers", async (workbench) => {
  await workbench.runCommand("Burla: Show Actions");
  await workbench.quickInput.rows.first().waitFor();
  await workbench.screenshot("install-actions");
  await workbench.quickInput.dismiss();
});

test("a file opens", async (workbench) => {
  await workbench.openFile("scores.ts");
  await workbench.screenshot("install-file");
});

test("the window takes every theme", async (workbench) => {
  for (const theme of ["dark", "high contrast", "high contrast light", "light"] as const) {
    await workbench.setTheme(theme);
    await workbench.screenshot(`install-${theme.replaceAll(" ", "-")}`);
  }
});

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly enablement?: string }[];
    readonly menus?: { readonly commandPalette?: readonly { readonly command: string; readonly when?: string }[] };
  };
}
