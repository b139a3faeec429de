/** What a server or the kernel host is asked beside the library's own calls. */
import { within } from "../deadline.ts";
import type { JupyterEndpoint } from "./endpoint.ts";
import { KernelAPI, ServerConnection } from "./library.ts";
import type { KernelState } from "./watch.ts";

const LOOK_TIMEOUT_MS = 10_000;

/** The kernel host sees the end of its kernels, and tells it; of what a server knows it tells not all. */
export async function stateOf(id: string, { isLocal, settings }: JupyterEndpoint): Promise<KernelState> {
  if (isLocal) return "unknown";
  try {
    const model = await within(KernelAPI.getKernelModel(id, settings), LOOK_TIMEOUT_MS, "looking for the kernel");
    if (model === undefined || model.execution_state === "dead") return "gone";
    return model.execution_state === "idle" ? "free" : "busy";
  } catch (error) {
    return error instanceof ServerConnection.ResponseError ? "unknown" : "unreachable";
  }
}

/** What runs is not interrupted before: the kernel host offers that, servers do not. */
export function killKernel(id: string, settings: JupyterEndpoint["settings"]): Promise<unknown> {
  return ServerConnection.makeRequest(`${settings.baseUrl}api/kernels/${encodeURIComponent(id)}?now=true`, { method: "DELETE" }, settings);
}
