/** Parsing of option values that several commands have. Messages name the option; commander puts its flag in front. */
import { InvalidArgumentError, Option } from "commander";
import { CLUSTER_TEXT, isClusterName, isClusterUrl } from "../cluster-name.ts";
import { LOCAL } from "../cluster.ts";

export interface CommonOptions {
  readonly json?: boolean;
}

export interface ClusterOptions extends CommonOptions {
  readonly cluster?: string;
}

/** What a command that shows a running job may be told about stderr. */
export interface ViewFlags extends CommonOptions {
  readonly progress: boolean;
  readonly logs: boolean;
  readonly quiet?: boolean;
}

export function viewOptions(): Option[] {
  return [
    new Option("--no-progress", "no progress line"),
    new Option("--no-logs", "do not show what the function prints; `burla logs` has it"),
    new Option("-q, --quiet", "neither of them"),
  ];
}

/** Without the properties that are undefined. */
export function definedOnly<Value extends object>(value: Value): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as { [Key in keyof Value]?: Exclude<Value[Key], undefined> };
}

export function jsonOption(): Option {
  return new Option("--json", "for programs: JSON on stdout, and errors as JSON on stderr");
}

export function clusterOption(): Option {
  return new Option("--cluster <name>", `name or URL of the cluster, at a URL with its token in BURLA_TOKEN (default: BURLA_CLUSTER, else "${LOCAL}")`).argParser(parseCluster);
}

function parseCluster(text: string): string {
  if (!isClusterName(text) && !isClusterUrl(text)) throw new InvalidArgumentError(`It must be ${CLUSTER_TEXT}.`);
  return text;
}

export function parseName(text: string): string {
  if (!isClusterName(text)) throw new InvalidArgumentError("It must be small letters, digits and dashes.");
  return text;
}

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

export function parseCount(text: string): number {
  const value = parseNumber(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("It must be a whole number of at least 0.");
  return value;
}

/** `K=V`, or `K` alone for the value that it has here; repeated options gather. */
export function parseVariable(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  if (name === "") throw new InvalidArgumentError("It must be NAME=VALUE.");
  const value = at < 0 ? process.env[name] : text.slice(at + 1);
  if (value === undefined) throw new InvalidArgumentError(`There is no variable ${name} here; say ${name}=VALUE.`);
  return { ...before, [name]: value };
}
