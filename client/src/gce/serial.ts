/** The end of what a VM has printed, for whoever has waited for it in vain. */
import { isGceFailure } from "@burla/protocol";
import type { GoogleProject } from "./library.ts";

const MAX_LINES = 15;
const MAX_LINE = 300;

/** @returns "" where nothing can be had: another error is being told, which this is only to explain. */
export async function endOfSerial({ compute }: GoogleProject, { zone, name }: { readonly zone: string; readonly name: string }): Promise<string> {
  try {
    return lastLines(await compute.serialOutput(zone, name));
  } catch (error) {
    if (!isGceFailure(error)) throw error;
    return "";
  }
}

/** Without what would colour a terminal, or write over its lines. */
export function lastLines(text: string): string {
  const plain = text.replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, "").replace(/[^\P{Cc}\n]/gu, "");
  const lines = plain.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  return lines.slice(-MAX_LINES).map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line)).join("\n");
}
