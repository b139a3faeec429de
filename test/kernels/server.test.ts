import { startKernel } from "@burla/kernel-bridge/jupyter";
import { liveKernelContract } from "../contract/live-kernel.ts";
import { pythonSnippets } from "./python.ts";
import { JupyterServer } from "./server.ts";

const server = new JupyterServer();

liveKernelContract("ipykernel of a server", {
  start: async () => startKernel(await server.endpoint(), { name: "python3", language: "python" }),
  finish: () => server.stop(),
  snippets: pythonSnippets,
  survivesInterrupt: true,
});
