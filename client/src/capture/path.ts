/** The way from the user's function to a value, kept as a chain so that a step costs nothing until it is shown. */
export interface Path {
  step: string;
  from: Path | undefined;
}

/** The steps, first one first. */
export function pathNames(path: Path | undefined): string[] {
  const names: string[] = [];
  for (let at = path; at !== undefined; at = at.from) names.push(at.step);
  return names.reverse();
}

/** Beyond this a way is shown by its ends. */
const MAX_SHOWN = 12;
const SHOWN_LAST = 4;

/** The way as messages show it. */
export function pathText(names: readonly string[]): string {
  if (names.length <= MAX_SHOWN) return names.join(" → ");
  const first = names.slice(0, MAX_SHOWN - SHOWN_LAST);
  return [...first, `… ${names.length - MAX_SHOWN} more …`, ...names.slice(-SHOWN_LAST)].join(" → ");
}

/** One step further. */
export function stepTo(from: Path, key: PropertyKey): Path {
  return { step: typeof key === "number" ? `[${key}]` : String(key), from };
}
