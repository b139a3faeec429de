/** What a run of the suite leaves behind. */

/** One figure. The list of them is `results/latest.json`. */
export interface Row {
  readonly scenario: string;
  readonly system: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

/** Something a figure cannot say: a time-out, an error, a peer that cannot be had. */
export interface Note {
  readonly scenario: string;
  readonly system: string;
  readonly text: string;
}

/** Where and with what the figures were made: `results/latest-context.json`. */
export interface Context {
  readonly date: string;
  readonly commit: string;
  readonly quick: boolean;
  readonly machine: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly notes: readonly Note[];
}
