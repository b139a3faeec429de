/**
 * As much as is used here of the public API of the extension `ms-toolsai.jupyter`. Its kernels belong to its user: they
 * are given code, and are never ended from here.
 */
import * as vscode from "vscode";

const EXTENSION_ID = "ms-toolsai.jupyter";

export interface JupyterKernel {
  readonly status: string;
  readonly language: string;
  /** Runs code without a number and without a place in the history. */
  executeCode(code: string, token: vscode.CancellationToken): AsyncIterable<{ readonly items: readonly { readonly mime: string; readonly data: Uint8Array }[] }>;
}

interface JupyterApi {
  readonly kernels?: {
    getKernel(uri: vscode.Uri): Thenable<JupyterKernel | undefined>;
  };
}

export function hasJupyter(): boolean {
  return vscode.extensions.getExtension(EXTENSION_ID) !== undefined;
}

/** The kernel with which that extension runs the notebook; undefined when it does not, or has not started one yet. */
export async function jupyterKernel(uri: vscode.Uri): Promise<JupyterKernel | undefined> {
  const extension = vscode.extensions.getExtension<JupyterApi>(EXTENSION_ID);
  if (extension === undefined) return undefined;
  const api = extension.isActive ? extension.exports : await extension.activate();
  return api.kernels?.getKernel(uri);
}

const STDOUT = ["application/vnd.code.notebook.stdout", "application/x.notebook.stdout", "application/x.notebook.stream.stdout"];

/** Runs code there. @returns what it wrote to stdout. @throws Error with what the code has thrown. */
export async function runCode(kernel: JupyterKernel, code: string, signal: AbortSignal): Promise<string> {
  const source = new vscode.CancellationTokenSource();
  const cancel = () => source.cancel();
  signal.addEventListener("abort", cancel);
  let stdout = "";
  try {
    for await (const { items } of kernel.executeCode(code, source.token)) {
      const error = items.find(({ mime }) => mime === "application/vnd.code.notebook.error");
      if (error !== undefined) throw new Error(errorText(Buffer.from(error.data).toString("utf8")));
      for (const { mime, data } of items) if (STDOUT.includes(mime)) stdout += Buffer.from(data).toString("utf8");
    }
    signal.throwIfAborted();
    return stdout;
  } finally {
    signal.removeEventListener("abort", cancel);
    source.dispose();
  }
}

function errorText(json: string): string {
  try {
    const { name, message } = JSON.parse(json) as { name?: string; message?: string };
    return `${name ?? "Error"}: ${message ?? ""}`;
  } catch {
    return json;
  }
}
