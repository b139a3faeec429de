/** What the tests in the extension host said, counted. They write one line for each outcome, as it comes. */
export type Outcome = "passed" | "failed" | "pending" | "end";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A run that died, or that failed without a test that failed, counts as one more failure. */
export function countsOf(lines: string, succeeded: boolean): Counts {
  const outcomes = lines.split("\n");
  const count = (wanted: Outcome) => outcomes.filter((outcome) => outcome === wanted).length;
  const failed = count("failed");
  const hasDied = count("end") !== 1 || (!succeeded && failed === 0);
  return { passed: count("passed"), failed: failed + (hasDied ? 1 : 0), skipped: count("pending") };
}

/** The closing lines of a report of node:test, which scripts/test.mjs reads. */
export function reportOf({ passed, failed, skipped }: Counts): string {
  return `# pass ${passed}\n# fail ${failed}\n# skipped ${skipped}\n`;
}
