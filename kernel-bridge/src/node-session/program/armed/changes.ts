/** What a call has changed on its worker -> the same change here: in the very objects, which others may know, too. */
import { serialize } from "node:v8";
import type { CallResult } from "./armed-cell.ts";

/**
 * @param live what the session has. It is changed where that can be.
 * @param data what it has become, as a copy.
 * @returns what the name means from now on.
 */
export function fill(live: unknown, data: unknown): unknown {
  if (!isObject(live) || !isObject(data)) return data;
  if (Array.isArray(live) && Array.isArray(data)) return fillArray(live, data);
  if (live instanceof Map && data instanceof Map) return fillMap(live, data);
  if (live instanceof Set && data instanceof Set) return fillSet(live, data);
  if (ArrayBuffer.isView(live) || isBuiltIn(live) || isBuiltIn(data) || Array.isArray(data)) return data;
  return fillObject(live as Record<string, unknown>, data as Record<string, unknown>);
}

/** The variables of a session. */
export interface Variables {
  readonly variables: Readonly<Record<string, unknown>>;
  assign(name: string, value: unknown): void;
}

/** Makes the changes of a call. @returns its result, in which the objects of the session are those themselves. */
export function adopt(session: Variables, { value, names, changed }: CallResult): Omit<CallResult, "changed" | "lost"> {
  const { variables } = session;
  const lives = new Map<unknown, unknown>();
  for (const [name, data] of Object.entries(changed)) {
    const live = fill(variables[name], data);
    session.assign(name, live);
    if (isObject(data)) lives.set(data, live);
  }
  const own = (one: unknown): unknown => (lives.has(one) ? lives.get(one) : one);
  return { value: own(value), names: Object.fromEntries(Object.entries(names).map(([name, one]) => [name, own(one)])) };
}

function fillArray(live: unknown[], data: readonly unknown[]): unknown {
  const known = new Known(live);
  const found = data.map((value) => known.take(value));
  // An element that is none of those that were there is the one in its place, changed, unless that one has only moved.
  const filled = data.map((value, index) => found[index] ?? (isObject(value) && known.has(live[index]) ? fill(live[index], value) : value));
  live.length = 0;
  for (const value of filled) live.push(value);
  return live;
}

function fillMap(live: Map<unknown, unknown>, data: ReadonlyMap<unknown, unknown>): unknown {
  const keys = new Known([...live.keys()]);
  const entries = [...data].map(([copy, value]): [unknown, unknown] => {
    const key = keys.take(copy) ?? copy;
    return [key, fill(live.get(key), value)];
  });
  live.clear();
  for (const [key, value] of entries) live.set(key, value);
  return live;
}

function fillSet(live: Set<unknown>, data: ReadonlySet<unknown>): unknown {
  const known = new Known([...live]);
  const values = [...data].map((value) => known.take(value) ?? value);
  live.clear();
  for (const value of values) live.add(value);
  return live;
}

function fillObject(live: Record<string, unknown>, data: Readonly<Record<string, unknown>>): unknown {
  for (const name of Object.keys(live)) if (!Object.hasOwn(data, name)) Reflect.deleteProperty(live, name);
  for (const [name, value] of Object.entries(data)) live[name] = fill(live[name], value);
  return live;
}

/** Objects by what they hold: a copy that holds the same stands for the object that is here. */
class Known {
  readonly #byBytes = new Map<string, object[]>();

  constructor(values: readonly unknown[]) {
    for (const value of values.filter(isObject)) {
      const bytes = bytesOf(value);
      const same = this.#byBytes.get(bytes);
      if (same === undefined) this.#byBytes.set(bytes, [value]);
      else same.push(value);
    }
  }

  /** Each object stands for one copy. */
  take(copy: unknown): object | undefined {
    return isObject(copy) ? this.#byBytes.get(bytesOf(copy))?.shift() : undefined;
  }

  has(value: unknown): boolean {
    return isObject(value) && (this.#byBytes.get(bytesOf(value))?.includes(value) ?? false);
  }
}

function bytesOf(value: object): string {
  return serialize(value).toString("latin1");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Such as a date or an error: what it holds is not in its properties. */
function isBuiltIn(value: object): boolean {
  return Object.prototype.toString.call(value) !== "[object Object]";
}
