/** A row of a tree as plain data: what is shown is decided and tested without the editor. */
export interface Row {
  /** Stays the same while the thing lives, so that the tree keeps what is open and selected. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Markdown. */
  readonly tooltip: string;
  readonly icon: Icon;
  /** For the `when` clauses of its menus. */
  readonly contextValue: string;
  readonly expandable: "no" | "closed" | "open";
}

export interface Icon {
  readonly name: string;
  /** A theme colour. */
  readonly color: string | null;
}

export function icon(name: string, color: string | null = null): Icon {
  return { name, color };
}

/** Colours of the editor's test explorer: chosen by themes to be told apart on a side bar. */
export const COLOR = {
  good: "testing.iconPassed",
  bad: "testing.iconFailed",
  warning: "list.warningForeground",
  quiet: "disabledForeground",
} as const;

/** What a screen reader says of it. */
export function spokenRow({ label, description }: Row): string {
  return description === "" ? label : `${label}, ${description}`;
}
