/** Asks which cluster on Google Cloud is meant. Every answer has a default that Enter accepts. */
import * as vscode from "vscode";
import type { CloudOptions } from "burla/control";
import { Declined, troubleOf } from "../failure.ts";
import { estimateText } from "../view/cloud.ts";
import { countText } from "../view/texts.ts";
import type { Control } from "./control.ts";
import { cloudName, cloudNameProblem, projectProblem } from "./cloud-names.ts";

const TITLE = "Start a Cluster on Google Cloud";
const LAST_KEY = "burla.lastCloud";
/** The first is the default. */
const SIZES = [2, 4, 8, 16, 32] as const;
const SPEC_FILES = "**/*.json";
const NOT_SPEC_FILES = "**/{node_modules,dist,out,.git,.vscode}/**";
const MAX_FILES = 200;
/** Specs are small; this is not the place to read data. */
const MAX_SPEC_BYTES = 256 * 1024;

export interface CloudAskParts {
  readonly control: Control;
  readonly memory: vscode.Memento;
  /** Names that are taken. */
  readonly names: readonly string[];
  /**
   * The project that the credentials name, or null. Asked for when machines and prices have been seen: without credentials
   * it says how to sign in.
   * @throws Declined
   */
  readonly project: () => Promise<string | null>;
}

interface WhatItem extends vscode.QuickPickItem {
  readonly options: CloudOptions;
  /** Why it cannot be used. */
  readonly error?: unknown;
}

/** What was answered the last time. */
interface Last {
  readonly region?: string;
  readonly project?: string;
}

/** @throws Declined when a question is closed; BurlaError BURLA_SPEC for a spec that cannot be used. */
export async function askForCloud(parts: CloudAskParts): Promise<CloudOptions> {
  const what = await askWhat(parts);
  const { spec } = what;
  if (spec !== undefined) return { ...what, ...(await projectUnlessNamed(parts, what, "2/2")) };
  const region = await askRegion(parts);
  const { project } = await askProject(parts, "3/4");
  const name = await input({ title: `${TITLE} (4/4): name`, prompt: "What the cluster is called", value: cloudName(parts.names), validateInput: (text) => cloudNameProblem(text, parts.names) });
  await parts.memory.update(LAST_KEY, { region, project } satisfies Last);
  return { ...what, region, project, name };
}

/** For one that was started before: only what its spec does not say. @throws Declined */
export async function askForKnown(parts: CloudAskParts, name: string): Promise<CloudOptions> {
  return { name, ...(await projectUnlessNamed(parts, { name }, "1/1")) };
}

async function projectUnlessNamed(parts: CloudAskParts, options: CloudOptions, step: string): Promise<CloudOptions> {
  const isNamed = (await parts.project()) !== null || parts.control.estimateCloudCluster(options).project !== null;
  return isNamed ? {} : askProject(parts, step);
}

async function askWhat({ control, names }: CloudAskParts): Promise<CloudOptions> {
  const specs = await specItems(control);
  const sizes = SIZES.map((nodes): WhatItem => {
    const estimate = control.estimateCloudCluster({ nodes, name: cloudName(names) });
    return { label: `$(server) ${countText(nodes, "node")}`, description: estimateText(estimate), detail: estimate.prices.at(-1)?.what ?? "", options: { nodes } };
  });
  const separator = (label: string): WhatItem => ({ label, kind: vscode.QuickPickItemKind.Separator, options: {} });
  const items = [...(specs.length === 0 ? [] : [separator("Cluster specs of this workspace"), ...specs, separator("Usual clusters")]), ...sizes];
  const choice = await vscode.window.showQuickPick(items, { title: `${TITLE}: machines`, placeHolder: "Which machines? The price is asked about before anything is made.", matchOnDescription: true, ignoreFocusOut: true });
  if (choice === undefined) throw new Declined("nothing was started");
  if (choice.error !== undefined) throw choice.error;
  return choice.options;
}

/** Of the workspace's JSON files those that speak of Google Cloud as a cluster spec does. */
async function specItems(control: Control): Promise<WhatItem[]> {
  const files = await vscode.workspace.findFiles(SPEC_FILES, NOT_SPEC_FILES, MAX_FILES);
  const items = await Promise.all(files.filter(({ scheme }) => scheme === "file").map((file) => specItem(control, file)));
  return items.filter((item) => item !== null).sort((a, b) => a.label.localeCompare(b.label));
}

async function specItem(control: Control, file: vscode.Uri): Promise<WhatItem | null> {
  if (!(await looksLikeSpec(file))) return null;
  const options = { spec: file.fsPath };
  const label = `$(file-code) ${vscode.workspace.asRelativePath(file)}`;
  try {
    const estimate = control.estimateCloudCluster(options);
    return { label, description: `${estimate.cluster}: ${estimateText(estimate)}`, options };
  } catch (error) {
    return { label: `$(warning) ${vscode.workspace.asRelativePath(file)}`, description: "cannot be used", detail: troubleOf(error).message.split("\n")[0] ?? "", options, error };
  }
}

async function looksLikeSpec(file: vscode.Uri): Promise<boolean> {
  const { size } = await vscode.workspace.fs.stat(file);
  if (size > MAX_SPEC_BYTES) return false;
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  return /"provider"\s*:\s*"gce"/.test(text) && text.includes('"groups"');
}

async function askRegion({ control, memory }: CloudAskParts): Promise<string> {
  const last = memory.get<Last>(LAST_KEY)?.region;
  const regions = control.cloudRegions();
  const items = [...(last === undefined ? [] : [{ label: last, description: "as the last time" }]), ...regions.filter((region) => region !== last).map((label) => ({ label }))];
  const choice = await vscode.window.showQuickPick(items, { title: `${TITLE} (2/4): region`, placeHolder: "Where its machines are", ignoreFocusOut: true });
  if (choice === undefined) throw new Declined("nothing was started");
  return choice.label;
}

async function askProject(parts: CloudAskParts, step: string): Promise<{ project: string }> {
  const { memory } = parts;
  const project = await parts.project();
  const value = project ?? memory.get<Last>(LAST_KEY)?.project ?? "";
  const prompt = project === null ? "Id of the Google Cloud project that pays" : "The Google Cloud project that pays: your credentials name this one";
  return { project: (await input({ title: `${TITLE} (${step}): project`, prompt, value, placeHolder: "my-project", validateInput: projectProblem })).trim() };
}

async function input(options: vscode.InputBoxOptions): Promise<string> {
  const text = await vscode.window.showInputBox({ ignoreFocusOut: true, ...options });
  if (text === undefined) throw new Declined("nothing was started");
  return text;
}
