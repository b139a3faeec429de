/** Counts the lines of the `print` scenario wherever the system lets them arrive at its client. */
export class OutputCount {
  lines = 0;
  /** When the last of them came, on the monotonic clock, in ns. */
  lastNs = 0;
  private rest = "";
  private arrived: (() => void) | undefined;

  readonly add = (text: string): void => {
    const all = this.rest + text;
    const end = all.lastIndexOf("\n") + 1;
    this.rest = all.slice(end);
    const found = all.slice(0, end).match(/bench-line \d+\/\d/g)?.length ?? 0;
    if (found === 0) return;
    this.lines += found;
    this.lastNs = Number(process.hrtime.bigint());
    this.arrived?.();
  };

  reset(): void {
    this.lines = 0;
  }

  /** Waits for the expected number; gives up once nothing has come for `graceMs`. */
  async until(expected: number, graceMs: number): Promise<void> {
    while (this.lines < expected) {
      const before = this.lines;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.arrived = undefined;
      if (this.lines === before) return;
    }
  }
}
