/** The manifest and the code, compared both ways. What only a running editor knows is in test/extension. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as contributions from "./contributions.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(join(root, "package.json"), "utf8");
const manifest = JSON.parse(text) as Manifest;
const { contributes } = manifest;
const own = contributions as unknown as Readonly<Record<string, Readonly<Record<string, string>>>>;

test("commands, views and settings of the manifest are those of the code", () => {
  assert.deepEqual(sorted(contributes.commands.map(({ command }) => command)), ids("COMMANDS"));
  assert.deepEqual(sorted(Object.values(contributes.views ?? {}).flatMap((views) => views.map(({ id }) => id))), ids("VIEWS"));
  assert.deepEqual(sorted(settingsOf(contributes.configuration)), ids("SETTINGS"));
});

test("tools for language models are those of the code", () => {
  assert.deepEqual(sorted((contributes.languageModelTools ?? []).map(({ name }) => name)), ids("TOOLS"));
});

test("every id is used by the code, and always by its name", () => {
  const code = sources().map(({ content }) => content).join("\n");
  for (const group of ["COMMANDS", "VIEWS", "SETTINGS", "CONTEXTS", "TOOLS"]) {
    for (const [name, id] of Object.entries(own[group] ?? {})) {
      assert.match(code, new RegExp(`\\b${group}(\\.${name}\\b|\\))`), `${group}.${name} is used nowhere`);
      for (const { file, content } of sources()) assert.ok(!content.includes(`"${id}"`), `${file} writes "${id}" instead of ${group}.${name}`);
    }
  }
});

test("menus, keys, welcome views and the walkthrough name commands that exist", () => {
  const commands = new Set(contributes.commands.map(({ command }) => command));
  const menus = Object.values(contributes.menus ?? {}).flatMap((items) => items.flatMap(({ command }) => command ?? []));
  const keys = (contributes.keybindings ?? []).map(({ command }) => command);
  const links = [...text.matchAll(/command:([\w.]+)/g)].map(([, command]) => command ?? "");
  for (const command of [...menus, ...keys, ...links].filter((id) => id.startsWith("burla"))) assert.ok(commands.has(command), `there is no command ${command}`);
});

test("conditions name contexts, views and settings that exist", () => {
  const known = new Set(["CONTEXTS", "VIEWS", "SETTINGS"].flatMap(ids));
  const conditions = [...text.matchAll(/"(?:when|enablement)": "((?:[^"\\]|\\.)*)"|"onContext:([^"]+)"/g)].map(([, when, context]) => when ?? context ?? "");
  for (const condition of conditions) {
    // Regular expressions hold patterns, not names.
    const names = condition.replace(/=~ \/(?:[^/\\]|\\.)*\/\w*/g, "").match(/\bburla\.[\w.]+/g) ?? [];
    for (const name of names) assert.ok(known.has(name.replace(/^config\./, "")), `${name} of ${condition} is known nowhere`);
  }
});

test("every command has a category, and every setting a description", () => {
  for (const { command, category } of contributes.commands) assert.equal(category, "Burla", command);
  for (const [name, setting] of settingEntries(contributes.configuration)) {
    assert.ok((setting.description ?? setting.markdownDescription ?? "").length > 20, name);
    assert.ok(Object.hasOwn(setting, "default"), `${name} has no default`);
  }
});

test("files that the manifest and the walkthrough name are there", () => {
  const files = [...text.matchAll(/"(\.?\/?(?:media|extension)\/[^"]+\.(?:svg|png|md|json|js|cjs|css))"/g)].map(([, file]) => file ?? "");
  for (const file of files.filter((name) => !name.includes("/dist/"))) assert.ok(existsSync(join(root, file)), `${file} is missing`);
  for (const file of files.filter((name) => name.endsWith(".md"))) {
    for (const [, picture] of readFileSync(join(root, file), "utf8").matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) {
      assert.ok(existsSync(join(root, dirname(file), picture ?? "")), `${file} shows ${picture}`);
    }
  }
});

function ids(group: string): string[] {
  return sorted(Object.values(own[group] ?? {}));
}

function sorted(values: readonly string[]): string[] {
  return [...values].sort();
}

function settingsOf(configuration: Manifest["contributes"]["configuration"]): string[] {
  return settingEntries(configuration).map(([name]) => name);
}

function settingEntries(configuration: Manifest["contributes"]["configuration"]): [string, Setting][] {
  return [configuration ?? []].flat().flatMap(({ properties }) => Object.entries(properties));
}

/** The code of the extension without its ids and its tests. */
function sources(): { file: string; content: string }[] {
  return readdirSync(join(root, "extension", "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "contributions.ts")
    .map((file) => ({ file, content: readFileSync(join(root, "extension", "src", file), "utf8") }));
}

interface Setting {
  readonly description?: string;
  readonly markdownDescription?: string;
  readonly default?: unknown;
}

interface Configuration {
  readonly properties: Readonly<Record<string, Setting>>;
}

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly category?: string }[];
    readonly views?: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly configuration?: Configuration | readonly Configuration[];
    readonly menus?: Readonly<Record<string, readonly { readonly command?: string }[]>>;
    readonly keybindings?: readonly { readonly command: string }[];
    readonly languageModelTools?: readonly { readonly name: string }[];
  };
}
