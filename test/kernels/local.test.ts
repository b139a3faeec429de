import { interpreter, KernelHost, startKernel } from "@burla/kernel-bridge/jupyter";
import { liveKernelContract } from "../contract/live-kernel.ts";
import { pythonSnippets } from "./python.ts";
import { PYTHON } from "../../scripts/jupyter/install.ts";

const host = new KernelHost();

liveKernelContract("ipykernel without a server", {
  start: () => startKernel(host.endpoint, interpreter(PYTHON)),
  finish: () => host.dispose(),
  snippets: pythonSnippets,
  survivesInterrupt: true,
});
