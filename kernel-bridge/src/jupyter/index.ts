/** Jupyter kernels: on a server by URL and token, or on this machine without one. */
export { jupyterServer, type JupyterEndpoint } from "./endpoint.ts";
export { KernelHost, type KernelHostOptions } from "./host-process.ts";
export { JupyterKernel } from "./jupyter-kernel.ts";
export { connectKernel, interpreter, listKernels, listRunning, startKernel, type KernelChoice, type RunningKernel, type StartOptions } from "./kernels.ts";
