/** Which variables of the session a cell that is one call may change: those that it names, and those of functions that it names. */
import { serialize } from "node:v8";

const IDENTIFIER = /[\p{ID_Start}$_][\p{ID_Continue}$]*/gu;
/** Of one text: whatever is larger is a program, not a function of a cell. */
const MAX_TEXT = 256 * 1024;

/**
 * @param text of the cell. A name that only looks like one of the session's costs a copy of what it means.
 * @param session the session's variables, without those that are everybody's.
 */
export function watchedNames(text: string, session: Readonly<Record<string, unknown>>): string[] {
  const watched: string[] = [];
  const seen = new Set<string>();
  const texts = [text];
  for (let next = texts.pop(); next !== undefined; next = texts.pop()) {
    for (const [name] of next.slice(0, MAX_TEXT).matchAll(IDENTIFIER)) {
      if (seen.has(name) || !Object.hasOwn(session, name)) continue;
      seen.add(name);
      const value = session[name];
      if (typeof value === "function") texts.push(Function.prototype.toString.call(value));
      else if (canTravel(value)) watched.push(name);
      texts.push(...methodsOf(value));
    }
  }
  return watched;
}

/** What cannot be copied cannot be given back. */
function canTravel(value: unknown): boolean {
  try {
    serialize(value);
    return true;
  } catch {
    return false;
  }
}

/** An object's class may change variables, too. */
function methodsOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const kind = (Object.getPrototypeOf(value) as { constructor?: unknown } | null)?.constructor;
  return typeof kind === "function" ? [Function.prototype.toString.call(kind)] : [];
}
