/** What one call of the example finds out about one route. */
export interface Spare {
  readonly origin: string;
  readonly destination: string;
  readonly flights: number;
  /** The arrival delay, in minutes, that nine in ten flights stayed within. */
  readonly minutes: number;
  /** Bounds of the 95 % bootstrap interval of `minutes`. */
  readonly low: number;
  readonly high: number;
}
