import type { Interop } from "./code-refs.ts";
import { standaloneText } from "./standalone.ts";

/** Makes the answer of `require` look as the compiler's helper of that kind does. */
function interop(kind: Interop, exports: Record<string, unknown>): unknown {
  const isModule = typeof exports === "object" && exports !== null && exports["__esModule"] === true;
  if (kind === "default") return isModule ? exports : { default: exports };
  if (kind === "star" && isModule) return exports;
  const namespace = Object.create(kind === "star" ? null : Object.getPrototypeOf(exports)) as Record<string, unknown>;
  if (kind !== "esbuild" || !isModule) Object.defineProperty(namespace, "default", { value: exports, enumerable: true });
  for (const key of Object.getOwnPropertyNames(exports)) {
    if (Object.hasOwn(namespace, key)) continue;
    Object.defineProperty(namespace, key, { get: () => exports[key], enumerable: true });
  }
  return namespace;
}

/** The function's text, for the top of a bundle. */
export function interopText(): string {
  return `const $burla_interop = ${standaloneText(interop)};`;
}
