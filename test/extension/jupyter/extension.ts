/**
 * Stands in for the Jupyter extension, which is not on every machine: the same public API, with real kernels. It runs the
 * cells of its notebooks itself, and owns their outputs.
 */
import { join } from "node:path";
import * as vscode from "vscode";
import type { KernelEvent, LiveKernel } from "@burla/kernel-bridge";
import { interpreter, KernelHost, startKernel } from "@burla/kernel-bridge/jupyter";
import { CellOutputs, Displays } from "../../../extension/src/keeper/outputs.ts";
import { cellItems } from "../../../extension/src/notebooks/cell-outputs.ts";
import { CellRun } from "../../../extension/src/notebooks/cell-run.ts";

const PYTHON = "/usr/bin/python3";

export function activate(context: vscode.ExtensionContext) {
  const host = new KernelHost({ program: join(context.extensionPath, "..", "..", "..", "extension", "dist", "kernel-host.mjs") });
  const kernels = new Map<string, Promise<LiveKernel>>();
  const kernelOf = (notebook: vscode.NotebookDocument) => {
    const key = notebook.uri.toString();
    const known = kernels.get(key) ?? startKernel(host.endpoint, interpreter(PYTHON));
    kernels.set(key, known);
    return known;
  };
  const controller = vscode.notebooks.createNotebookController("python-stand-in", "jupyter-notebook", "Python (stand-in)");
  controller.supportedLanguages = ["python"];
  controller.supportsExecutionOrder = true;
  controller.executeHandler = async (cells, notebook) => {
    for (const cell of cells) await run(await kernelOf(notebook), controller.createNotebookCellExecution(cell));
  };
  controller.interruptHandler = async (notebook) => (await kernelOf(notebook)).interrupt();
  context.subscriptions.push(controller, { dispose: () => host.dispose() });
  return {
    kernels: {
      getKernel: async (uri: vscode.Uri) => {
        const kernel = await kernels.get(uri.toString());
        return kernel && { status: kernel.status, language: "python", executeCode: (code: string) => executeCode(kernel, code) };
      },
    },
  };
}

async function run(kernel: LiveKernel, execution: vscode.NotebookCellExecution): Promise<void> {
  const { document } = execution.cell;
  const outputs = new CellOutputs(new Displays(), () => "nowhere");
  const cell = new CellRun(execution, new Map());
  cell.start();
  for await (const event of kernel.execute(document.getText(), { cellId: document.uri.toString() })) {
    if (event.type === "started") cell.numbered(event.executionCount);
    outputs.apply(event);
    cell.apply(outputs.take());
    if (event.type === "ended") cell.end(event.outcome);
  }
}

async function* executeCode(kernel: LiveKernel, code: string): AsyncGenerator<{ items: { mime: string; data: Uint8Array }[] }> {
  for await (const event of kernel.execute(code, { silent: true })) {
    const items = itemsOf(event);
    if (items.length > 0) yield { items };
  }
}

function itemsOf(event: KernelEvent): vscode.NotebookCellOutputItem[] {
  if (event.type === "stream") return cellItems({ kind: "stream", name: event.name, text: event.text });
  if (event.type === "error") return cellItems({ kind: "error", name: event.name, message: event.message, traceback: [...event.traceback] });
  return [];
}
