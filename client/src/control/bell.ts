/** Wakes one waiter: for what may happen while nobody waits. */
export class Bell {
  #hasRung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  /** Resolves when it has rung since the last time, when the signal aborts, or after a time. */
  async wait(signal: AbortSignal, timeoutMs = Infinity): Promise<void> {
    if (!this.#hasRung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const timer = Number.isFinite(timeoutMs) ? setTimeout(wake, timeoutMs) : undefined;
        this.#wake = wake;
        signal.addEventListener("abort", wake);
      });
    }
    this.#wake = null;
    this.#hasRung = false;
  }
}
