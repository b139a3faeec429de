/**
 * The library's connection, made safe for a process that others share. When a kernel restarts or dies while a request is
 * open, the library rejects promises that nobody can await; here the two methods that they come from do not reject.
 */
import { setTimeout as pause } from "node:timers/promises";
import { KernelConnection } from "./library.ts";
import type { KernelMessage } from "./library.ts";

/** A kernel answers its first question within a second or two; a busy machine may make it late. */
const ASK_AGAIN_MS = 8_000;
/** After a question that was lost with the kernel or the line. */
const RECOVER_MS = 500;
/** A kernel that is busy does not answer, but hears. */
const FLOW_TIMEOUT_MS = 3_000;
const UNANSWERED = Symbol("unanswered");

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

  /** Resolves when what is sent on a line that has just been opened is answered, and what it outputs is heard. */
  async flows(): Promise<void> {
    await Promise.race([this.requestKernelInfo(), pause(FLOW_TIMEOUT_MS, undefined, { ref: false })]);
  }

  /**
   * Asks a kernel that has just been started until it answers. A question that comes while a server puts another kernel in
   * the place of a dead one goes to the dead one, and so do all on that line. Undefined when the kernel is gone.
   */
  async firstAnswer(timeoutMs: number): Promise<KernelMessage.IInfoReplyMsg | undefined> {
    const endMs = performance.now() + timeoutMs;
    while (performance.now() < endMs && !this.isDisposed) {
      const info = await Promise.race([this.requestKernelInfo(), pause(ASK_AGAIN_MS, UNANSWERED, { ref: false })]);
      if (info === UNANSWERED) {
        if (!this.isDisposed) await this.reconnect();
      } else if (info !== undefined) return info;
      else await pause(RECOVER_MS);
    }
    return undefined;
  }
}
