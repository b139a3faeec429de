/** Starts the kernel that the window has chosen. */
import { fileURLToPath } from "node:url";
import { startNodeSession, type LiveKernel } from "@burla/kernel-bridge";
import { interpreter, jupyterServer, KernelHost, listKernels, startKernel as startJupyter, type JupyterEndpoint, type KernelChoice as Spec } from "@burla/kernel-bridge/jupyter";
import type { KernelChoice } from "./messages.ts";

/** Programs and packages lie beside this one. */
const beside = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export async function startKernel(choice: KernelChoice): Promise<LiveKernel> {
  switch (choice.type) {
    case "node":
      return startNodeSession({
        program: beside("session.mjs"), nodePath: process.execPath, directory: choice.folder, language: choice.language,
        burla: beside("node_modules/burla/dist/index.js"),
      });
    case "local": {
      const { endpoint } = new KernelHost({ program: beside("kernel-host.mjs"), nodePath: process.execPath });
      return startJupyter(endpoint, choice.python === null ? await pythonOf(endpoint) : interpreter(choice.python), choice.folder);
    }
    case "server": {
      const endpoint = jupyterServer(choice);
      return startJupyter(endpoint, await pythonOf(endpoint));
    }
  }
}

async function pythonOf(endpoint: JupyterEndpoint): Promise<Spec> {
  const python = (await listKernels(endpoint)).find(({ language }) => language === "python");
  if (python === undefined) throw new Error(`There is no Python kernel on ${endpoint.name}. Install the package ipykernel there: python3 -m pip install ipykernel cloudpickle`);
  return python;
}
