/** The languages whose functions can be run, and the outline of a file in each. */
import { functionAt, type MeantFunction } from "./at-selection.ts";
import { LANGUAGES as SCRIPTS, outlineOf as scriptOutline, type LanguageId as Script, type Outline, type Range } from "./outline.ts";
import { pythonOutline } from "./python-outline.ts";

export type LanguageId = Script | "python";
export const LANGUAGES: readonly LanguageId[] = [...SCRIPTS, "python"];

export function outlineOf(text: string, language: LanguageId): Outline {
  return language === "python" ? pythonOutline(text) : scriptOutline(text, language);
}

/** The function that a selection means; null when there is none. */
export function functionIn(text: string, language: LanguageId, selection: Range): MeantFunction | null {
  if (language !== "python") return functionAt(text, language, selection);
  const found = pythonOutline(text).functions.find(({ start, end }) => start <= selection.start && selection.start <= end);
  return found === undefined ? null : { ref: { kind: "named", name: found.name }, label: found.label };
}

export function languageOf(id: string): LanguageId | undefined {
  return LANGUAGES.find((language) => language === id);
}
