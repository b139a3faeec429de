/** Which Python runs the functions of a file. */
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import { SETTINGS } from "../contributions.ts";
import { findPythons, probePython } from "../notebooks/find-pythons.ts";
import { localOptions } from "../settings.ts";
import type { RunnerProgram } from "./runner-link.ts";

export function isPythonFile(file: string): boolean {
  return file.endsWith(".py");
}

export class PythonPrograms {
  readonly #context: Pick<vscode.ExtensionContext, "asAbsolutePath">;

  constructor(context: Pick<vscode.ExtensionContext, "asAbsolutePath">) {
    this.#context = context;
  }

  /** @throws Error that says what is missing, and how it is had. */
  async programFor(file: string): Promise<RunnerProgram> {
    const burla = this.#context.asAbsolutePath(join("extension", "dist", "node_modules", "burla", "dist"));
    const { nodePath } = await localOptions();
    return { kind: "python", python: await pythonFor(file), packages: join(burla, "python"), burlaCommand: [nodePath ?? "node", join(burla, "cli.js")] };
  }
}

/** What the settings say, else what the Python extension has chosen, else an environment of the folder, else the first one. */
async function pythonFor(file: string): Promise<string> {
  const given = (vscode.workspace.getConfiguration().get<string>(SETTINGS.pythonPath) ?? "").trim() || (await chosenElsewhere(vscode.Uri.file(file)));
  if (given !== "") return checked(given, await probePython(given));
  const pythons = await findPythons(dirname(file));
  const first = pythons.find(({ lacks }) => !lacks.includes("cloudpickle")) ?? pythons[0];
  if (first === undefined) throw new Error("there is no Python on this machine: install one, or name it in the setting burla.notebooks.pythonPath");
  return checked(first.path, first);
}

/** Functions travel by cloudpickle. */
function checked(path: string, found: Awaited<ReturnType<typeof probePython>>): string {
  if (found === null) throw new Error(`${path} is no Python, or does not answer: choose another one by the setting burla.notebooks.pythonPath`);
  if (found.lacks.includes("cloudpickle")) throw new Error(`this Python lacks cloudpickle, by which functions travel: ${path} -m pip install cloudpickle`);
  return path;
}

/** As much as is used of the Python extension's interface. */
interface PythonExtension {
  readonly environments?: { getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string } };
}

/** The interpreter that is chosen in the Python extension; empty without one. */
async function chosenElsewhere(resource: vscode.Uri): Promise<string> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  try {
    return (await extension?.activate())?.environments?.getActiveEnvironmentPath(resource).path ?? "";
  } catch {
    return "";
  }
}
