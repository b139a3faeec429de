/** Which Python runs a notebook: an interpreter, a kernel that is installed, or one of a Jupyter server. */
import * as vscode from "vscode";
import { SETTINGS } from "../contributions.ts";
import type { KernelChoice } from "../keeper/messages.ts";
import { Declined } from "../failure.ts";
import { findSpecs } from "@burla/kernel-bridge/kernelspecs";
import { findPythons, probePython, pythonLabel, type FoundPython } from "./find-pythons.ts";
import { offerKernel } from "./offer-kernel.ts";
import { folderOf } from "./sessions.ts";

const KEY = "burla.notebooks.python";
const secretKey = (url: string) => `burla.jupyterToken ${url}`;

/** As it is remembered: a token is not. */
type Chosen = { readonly python: string } | { readonly server: string };

export class PythonChoice {
  readonly #context: Pick<vscode.ExtensionContext, "workspaceState" | "secrets">;
  readonly #output: vscode.LogOutputChannel;
  /** What runs each notebook, for people. */
  readonly #labels = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(context: Pick<vscode.ExtensionContext, "workspaceState" | "secrets">, output: vscode.LogOutputChannel) {
    this.#context = context;
    this.#output = output;
  }

  /** Such as `Python 3.11.2 · .venv`; undefined before the notebook has run. */
  labelOf(notebook: vscode.NotebookDocument): string | undefined {
    return this.#labels.get(notebook.uri.toString());
  }

  dispose(): void {
    this.#changed.dispose();
  }

  /**
   * What was chosen for the notebook, else what the settings say, else the first Python that has a kernel. One that has
   * none is offered what it lacks.
   * @throws Declined; Error when it stays without.
   */
  async of(notebook: vscode.NotebookDocument): Promise<KernelChoice> {
    const { choice, label } = await this.#choose(notebook);
    if (label !== undefined) this.#labels.set(notebook.uri.toString(), label);
    this.#changed.fire();
    return choice;
  }

  async #choose(notebook: vscode.NotebookDocument): Promise<LabelledChoice> {
    const chosen = this.#remembered()[notebook.uri.toString()] ?? setting();
    if (chosen !== null && "server" in chosen) {
      const token = (await this.#context.secrets.get(secretKey(chosen.server))) ?? "";
      return { choice: { type: "server", url: chosen.server, token }, label: `Jupyter on ${new URL(chosen.server).host}` };
    }
    const folder = folderOf(notebook);
    const { python, found } = chosen === null ? await firstPython(folder) : await givenPython(chosen.python);
    if (found === null || found.problem === null) return { choice: { type: "local", python, folder }, label: found === null ? undefined : pythonLabel(found) };
    const ready = await offerKernel({ output: this.#output, chooseOther: () => this.ask(notebook).then(() => null) }, found, folder);
    // Made just now, or with other packages: looked at once more.
    if (ready !== null) await this.#context.workspaceState.update(KEY, { ...this.#remembered(), [notebook.uri.toString()]: { python: ready } });
    return this.#choose(notebook);
  }

  /** @returns whether something else was chosen. @throws Declined */
  async ask(notebook: vscode.NotebookDocument): Promise<boolean> {
    const chosen = await pick(folderOf(notebook));
    if ("token" in chosen) await this.#context.secrets.store(secretKey(chosen.server), chosen.token);
    const remembered: Chosen = "server" in chosen ? { server: chosen.server } : { python: chosen.python };
    const key = notebook.uri.toString();
    const before = this.#remembered();
    await this.#context.workspaceState.update(KEY, { ...before, [key]: remembered });
    return JSON.stringify(before[key]) !== JSON.stringify(remembered) || "server" in chosen;
  }

  #remembered(): Readonly<Record<string, Chosen>> {
    return this.#context.workspaceState.get<Record<string, Chosen>>(KEY, {});
  }
}

interface LabelledChoice {
  readonly choice: KernelChoice;
  /** For people. */
  readonly label: string | undefined;
}

/** A Python, and what is known of it. Both null: a kernelspec of this machine will do. */
interface FoundKernel {
  readonly python: string | null;
  readonly found: FoundPython | null;
}

async function firstPython(folder: string): Promise<FoundKernel> {
  const pythons = await findPythons(folder);
  const ready = pythons.find(({ problem }) => problem === null);
  if (ready !== undefined) return { python: ready.path, found: ready };
  const hasSpec = [...(await findSpecs()).values()].some(({ language }) => language === "python");
  return { python: null, found: hasSpec ? null : (pythons[0] ?? null) };
}

/** What does not answer is left to the kernel's own start, which says what is wrong with it. */
async function givenPython(path: string): Promise<FoundKernel> {
  const found = await probePython(path);
  return { python: path, found: found === null ? null : { ...found, path } };
}

function setting(): Chosen | null {
  const configuration = vscode.workspace.getConfiguration();
  const server = (configuration.get<string>(SETTINGS.jupyterServer) ?? "").trim();
  const python = (configuration.get<string>(SETTINGS.pythonPath) ?? "").trim();
  if (server !== "") return { server };
  return python === "" ? null : { python };
}

interface Item extends vscode.QuickPickItem {
  readonly choose: () => Promise<Picked>;
}
type Picked = { readonly python: string } | { readonly server: string; readonly token: string };

async function pick(folder: string): Promise<Picked> {
  const found = findPythons(folder).then((pythons): Item[] => [
    ...pythons.map(({ path, version, problem }) => ({ label: pythonLabel({ path, version }), description: path, ...(problem !== null && { detail: problem }), choose: async () => ({ python: path }) })),
    { label: "$(folder-opened) Another Interpreter…", choose: askPath },
    { label: "$(server) A Jupyter Server…", description: "by its address and token", choose: askServer },
  ]);
  const item = await vscode.window.showQuickPick(found, { placeHolder: "Which Python shall run this notebook?", matchOnDescription: true });
  if (item === undefined) throw new Declined("no Python was chosen");
  return item.choose();
}

async function askPath(): Promise<Picked> {
  const path = await vscode.window.showInputBox({ prompt: "Path of a Python interpreter that has the packages ipykernel and cloudpickle", ignoreFocusOut: true });
  if (path === undefined || path.trim() === "") throw new Declined("no interpreter was given");
  return { python: path.trim() };
}

async function askServer(): Promise<Picked> {
  const address = await vscode.window.showInputBox({
    prompt: "Address of the Jupyter server, as it prints it", placeHolder: "http://127.0.0.1:8888/?token=…", ignoreFocusOut: true,
    validateInput: (text) => (URL.canParse(text.trim()) && /^https?:/.test(text.trim()) ? null : "An address such as http://127.0.0.1:8888/"),
  });
  if (address === undefined) throw new Declined("no server was given");
  const url = new URL(address.trim());
  const inAddress = url.searchParams.get("token");
  const token = inAddress ?? (await vscode.window.showInputBox({ prompt: `Token of the Jupyter server at ${url.host}`, password: true, ignoreFocusOut: true }));
  if (token === undefined) throw new Declined("no token was given");
  return { server: `${url.origin}${url.pathname}`, token };
}
