/** Lists as the API gives them: filtered, in pages. */
import { ApiError } from "./http.ts";

const MAX_PAGE = 500;

export interface Page<Item> {
  readonly items: Item[];
  readonly nextPageToken?: string;
}

export function page<Item extends object>(all: readonly Item[], query: URLSearchParams): Page<Item> {
  const size = Number(query.get("maxResults") ?? MAX_PAGE);
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE) throw new ApiError(400, "invalid", `Invalid value for field 'maxResults': '${query.get("maxResults")}'.`);
  const from = Number(Buffer.from(query.get("pageToken") ?? "", "base64url").toString() || 0);
  const matching = all.filter(filterOf(query.get("filter") ?? ""));
  const items = matching.slice(from, from + size);
  return from + size < matching.length ? { items, nextPageToken: Buffer.from(String(from + size)).toString("base64url") } : { items };
}

/** `name = x`, `labels.a=b`, `name eq "re.*"`, joined by AND; parentheses are read over. Anything else is refused. */
export function filterOf(text: string): (item: object) => boolean {
  const parts = text.replaceAll(/[()]/g, "").split(/\s+AND\s+/i).map((part) => part.trim()).filter((part) => part !== "");
  const tests = parts.map((part) => {
    const [, path = "", operator = "", quoted] = /^([\w.-]+)\s*(=|!=|eq\s|ne\s|:)\s*"?([^"]*)"?$/.exec(part) ?? [];
    if (quoted === undefined) throw new ApiError(400, "invalid", `Invalid value for field 'filter': '${text}'. Invalid list filter expression.`);
    return (item: object) => holds(valueAt(item, path), operator.trim(), quoted);
  });
  return (item) => tests.every((test) => test(item));
}

function holds(value: unknown, operator: string, wanted: string): boolean {
  switch (operator) {
    case "=":
      return value === wanted;
    case "!=":
      return value !== wanted;
    case ":":
      return value !== undefined && (wanted === "*" || String(value).includes(wanted));
    default: {
      const matches = typeof value === "string" && new RegExp(`^(?:${wanted})$`).test(value);
      return matches === (operator === "eq");
    }
  }
}

function valueAt(item: object, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], item);
}

/** As much of an answer as its field mask names, `*` for any name; all of it without one. */
export function masked(answer: object, mask: string | string[] | undefined): object {
  if (mask === undefined) return answer;
  return part(answer, String(mask).split(",").map((path) => path.split("."))) as object;
}

function part(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (Array.isArray(value)) return value.map((item) => part(item, paths));
  if (typeof value !== "object" || value === null || paths.some((path) => path.length === 0)) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, below] of Object.entries(value)) {
    const rest = paths.filter(([first]) => first === key || first === "*").map((path) => path.slice(1));
    if (rest.length > 0) kept[key] = part(below, rest);
  }
  return kept;
}
