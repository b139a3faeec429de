/** Offers to give a Python what runs notebooks. Nothing is installed unasked. */
import { basename } from "node:path";
import * as vscode from "vscode";
import { progress } from "../progress.ts";
import { requireTrust } from "../trust.ts";
import { pythonLabel, type FoundPython } from "./find-pythons.ts";
import { createEnvironment, InstallError, installKernel } from "./install-kernel.ts";

const INSTALL = "Install ipykernel";
const ENVIRONMENT = "Make an Environment";
const OTHER = "Choose Another Python…";

export interface OfferParts {
  readonly output: vscode.LogOutputChannel;
  /** Lets the user choose another kernel. */
  readonly chooseOther: () => Promise<null>;
}

/** @returns a Python that can run notebooks now; null when another kernel was chosen. @throws Declined; InstallError */
export async function offerKernel(parts: OfferParts, python: FoundPython, folder: string): Promise<string | null> {
  const choice = await vscode.window.showWarningMessage(`${pythonLabel(python)} (${python.path}) lacks what runs notebooks: ipykernel and cloudpickle.`, INSTALL, OTHER);
  if (choice === OTHER) return parts.chooseOther();
  if (choice !== INSTALL) throw new Error(`${python.path} ${python.problem ?? "cannot run notebooks"}`);
  return install(parts, python.path, folder);
}

async function install(parts: OfferParts, python: string, folder: string): Promise<string> {
  requireTrust("Installing packages");
  try {
    await shown(parts, `Installing ipykernel into ${python}`, (options) => installKernel({ python, ...options }));
    return python;
  } catch (error) {
    if (!(error instanceof InstallError) || !error.isManaged) throw error;
    const choice = await vscode.window.showWarningMessage(`${error.message}. An environment of this folder, ${basename(folder)}/.venv, can have ipykernel.`, ENVIRONMENT);
    if (choice !== ENVIRONMENT) throw error;
    return shown(parts, `Making ${basename(folder)}/.venv with ipykernel`, async (options) => {
      const made = await createEnvironment(folder, { python, ...options });
      await installKernel({ python: made, ...options });
      return made;
    });
  }
}

interface Shown {
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** With what the installer says, and a button that ends it. */
async function shown<Result>({ output }: OfferParts, title: string, act: (options: Shown) => Promise<Result>): Promise<Result> {
  return progress(title, (report, signal) =>
    act({
      signal,
      onLine: (line) => {
        output.info(line);
        report.report({ message: line.slice(0, 80) });
      },
    }),
  );
}
