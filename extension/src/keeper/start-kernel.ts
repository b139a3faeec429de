/** Starts the kernel that the window has chosen. */
import { fileURLToPath } from "node:url";
import { startNodeSession, type LiveKernel } from "@burla/kernel-bridge";
import { interpreter, jupyterServer, KernelHost, listKernels, startKernel as startJupyter, type JupyterEndpoint, type KernelChoice as Spec } from "@burla/kernel-bridge/jupyter";
import type { KernelChoice } from "./messages.ts";

/** Programs and packages lie beside this one. */
const beside = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const burlaPart = (path: string) => beside(`node_modules/burla/dist/${path}`);

export async function startKernel(choice: KernelChoice): Promise<LiveKernel> {
  switch (choice.type) {
    case "node":
      return startNodeSession({
        program: beside("session.mjs"), nodePath: process.execPath, directory: choice.folder, language: choice.language,
        burla: burlaPart("index.js"),
      });
    case "local": {
      const { endpoint } = new KernelHost({ program: beside("kernel-host.mjs"), nodePath: process.execPath });
      return startJupyter(endpoint, choice.python === null ? await pythonOf(endpoint) : interpreter(choice.python), { folder: choice.folder, ...pythonClient() });
    }
    case "server": {
      const endpoint = jupyterServer(choice);
      return startJupyter(endpoint, await pythonOf(endpoint), pythonClient());
    }
  }
}

/** What is put into a Python kernel, and how a local cluster is started from there. */
function pythonClient() {
  return { pythonFolders: [burlaPart("python")], burlaCommand: [process.execPath, burlaPart("cli.js")] };
}

async function pythonOf(endpoint: JupyterEndpoint): Promise<Spec> {
  const python = (await listKernels(endpoint)).find(({ language }) => language === "python");
  if (python === undefined) throw new Error(`There is no Python kernel on ${endpoint.name}. Install the package ipykernel there: python3 -m pip install ipykernel cloudpickle`);
  return python;
}
