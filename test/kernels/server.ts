/** A Jupyter server as kernels are asked of it. */
import { jupyterServer, type JupyterEndpoint } from "@burla/kernel-bridge/jupyter";
import { JupyterServer as Program, TOKEN } from "../support/jupyter-server.ts";

export { TOKEN };

export class JupyterServer extends Program {
  /** Where it is; started with the first call. */
  async endpoint(): Promise<JupyterEndpoint> {
    await this.start();
    return jupyterServer({ url: this.url, token: TOKEN });
  }
}
