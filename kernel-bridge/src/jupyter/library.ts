/** What is used of `@jupyterlab/services`. It is CommonJS: its namespace is the default import. */
import services from "@jupyterlab/services";

export const { KernelAPI, KernelConnection, KernelSpecAPI, ServerConnection } = services;
export type { Kernel, KernelMessage, KernelSpec, ServerConnection as ServerConnectionTypes } from "@jupyterlab/services";
