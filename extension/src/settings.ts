/** The user's settings, read when they are needed, so that a change counts at once. */
import * as vscode from "vscode";
import type { StartOptions } from "burla/control";
import { findNode } from "./clusters/find-node.ts";
import { SETTINGS } from "./contributions.ts";

export type AutoStart = "ask" | "always" | "never";

export function autoStart(): AutoStart {
  return read<AutoStart>(SETTINGS.autoStart, "ask");
}

export async function setAutoStart(value: AutoStart): Promise<void> {
  await vscode.workspace.getConfiguration().update(SETTINGS.autoStart, value, vscode.ConfigurationTarget.Global);
}

export function maxLogLines(): number {
  return read(SETTINGS.maxLogLines, 5000);
}

/** Whether functions have a lens above them. */
export function hasCodeLens(): boolean {
  return read(SETTINGS.codeLens, true);
}

/** Whether what calls have thrown is a problem of the file, too. */
export function showsErrorsInProblems(): boolean {
  return read<"inline" | "problems">(SETTINGS.errorsShow, "inline") === "problems";
}

/** Whether the jobs of a window go on when it is closed. */
export function runsOutliveWindow(): boolean {
  return read<"cancel" | "continue">(SETTINGS.onWindowClose, "cancel") === "continue";
}

/** Longest wait for a further input of an expression or export. */
export function inputTimeoutMs(): number {
  return read(SETTINGS.inputTimeoutSeconds, 30) * 1000;
}

/** How a local cluster is started from here. */
export async function localOptions(): Promise<Pick<StartOptions, "idleMinutes" | "nodePath">> {
  const chosen = read(SETTINGS.nodePath, "").trim();
  return { idleMinutes: read(SETTINGS.idleMinutes, 10), nodePath: chosen === "" ? await findNode() : chosen };
}

function read<Value>(name: string, fallback: Value): Value {
  return vscode.workspace.getConfiguration().get<Value>(name) ?? fallback;
}
