/** The way from the user's function to a value, kept as a chain so that a step costs nothing until it is shown. */
export interface Path {
  step: string;
  from: Path | undefined;
}

/** The steps, first one first. */
export function pathNames(path: Path | undefined): string[] {
  const names: string[] = [];
  for (let at = path; at !== undefined; at = at.from) names.unshift(at.step);
  return names;
}

/** One step further. */
export function stepTo(from: Path, key: PropertyKey): Path {
  return { step: typeof key === "number" ? `[${key}]` : String(key), from };
}
