/** Which VS Code runs the tests of the extension host. */
import { downloadAndUnzipVSCode } from "@vscode/test-electron";
import { join } from "node:path";
import { ensureVscode } from "./install.ts";
import { root, standInExecutable } from "./paths.ts";

export interface Editor {
  readonly name: string;
  readonly executable: string;
}

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type Choice = { readonly kind: "given"; readonly executable: string } | { readonly kind: "download" } | { readonly kind: "stand-in" };

/** The one that is named, or the newest desktop VS Code; where no window can open, the server with a headless browser. */
export function choose({ platform, environment }: Machine): Choice {
  const executable = environment["VSCODE_EXECUTABLE"];
  if (executable !== undefined && executable !== "") return { kind: "given", executable };
  const hasDisplay = platform !== "linux" || Boolean(environment["DISPLAY"] || environment["WAYLAND_DISPLAY"]);
  return { kind: hasDisplay ? "download" : "stand-in" };
}

/** Gets it when it is not there. @throws Error when none can be had. */
export async function chooseEditor(): Promise<Editor> {
  const choice = choose({ platform: process.platform, environment: process.env });
  if (choice.kind === "given") return { name: choice.executable, executable: choice.executable };
  if (choice.kind === "stand-in") return standIn();
  try {
    return { name: "the desktop's VS Code", executable: await downloadAndUnzipVSCode({ cachePath: join(root, ".cache", "vscode-desktop") }) };
  } catch (error) {
    if (process.platform !== "linux") throw error;
    console.error(`No desktop VS Code could be downloaded (${error instanceof Error ? error.message : String(error)}): its server takes its place.`);
    return standIn();
  }
}

async function standIn(): Promise<Editor> {
  await ensureVscode();
  return { name: "VS Code's server, with a headless Chromium for a window", executable: standInExecutable };
}
