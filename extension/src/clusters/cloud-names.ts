/** Names that the user gives for a cluster on Google Cloud. No editor. */
import { LOCAL_ID } from "./state.ts";

const USUAL = "cloud";
const NAME = /^[a-z][a-z0-9-]{0,30}$/;
/** Ids of projects, with those of an organisation's domain. */
const PROJECT = /^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;

/** The usual name, or the first one of that kind that is free. */
export function cloudName(taken: readonly string[]): string {
  let name = USUAL;
  for (let count = 2; taken.includes(name); count++) name = `${USUAL}-${count}`;
  return name;
}

/** What is wrong with a name that is being typed, or null. */
export function cloudNameProblem(text: string, taken: readonly string[]): string | null {
  if (!NAME.test(text)) return "Small letters, digits and dashes, at most 31, a letter first";
  if (text === LOCAL_ID) return "That is the cluster of this machine";
  return taken.includes(text) ? "There is a cluster of this name: start it from the list of clusters" : null;
}

/** What is wrong with a project's id that is being typed, or null. */
export function projectProblem(text: string): string | null {
  return PROJECT.test(text.trim()) ? null : "The id of a project, such as my-project-123456: not its name, and not its number";
}
