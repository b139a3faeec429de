/** The parser, loaded on first use: it is most of what the program holds. */
import type ts from "typescript";

export type TypeScript = typeof ts;

let loading: Promise<TypeScript> | undefined;

export function loadTypeScript(): Promise<TypeScript> {
  loading ??= import("typescript").then((module) => module.default);
  return loading;
}
