/**
 * The library's connection, made safe for a process that others share. When a kernel restarts or dies while a request is
 * open, the library rejects promises that nobody can await; here the two methods that they come from do not reject.
 */
import { KernelConnection } from "./library.ts";
import type { KernelMessage } from "./library.ts";

export class Connection extends KernelConnection {
  constructor(options: ConstructorParameters<typeof KernelConnection>[0]) {
    super(options);
    this.info.catch(() => undefined);
  }

  /** Undefined when the kernel did not answer. */
  override async requestKernelInfo(): Promise<KernelMessage.IInfoReplyMsg | undefined> {
    try {
      return await super.requestKernelInfo();
    } catch {
      return undefined;
    }
  }

  /** Whether it is connected again tells `connectionStatus`. */
  override async reconnect(): Promise<void> {
    try {
      await super.reconnect();
    } catch {
      // See above.
    }
  }

  /** Resolves when the socket is open, or when it is given up. */
  settled(): Promise<void> {
    if (this.connectionStatus !== "connecting") return Promise.resolve();
    return new Promise((resolve) => {
      const hear = (_: unknown, status: string) => {
        if (status === "connecting") return;
        this.connectionStatusChanged.disconnect(hear);
        resolve();
      };
      this.connectionStatusChanged.connect(hear);
    });
  }
}
