import { analyze } from "./analysis.ts";

/**
 * The text of one of our own functions, as an expression that runs anywhere. A compiler that keeps names wraps functions
 * in a helper `(fn, name) => fn`, whatever it calls it, which would not be there.
 */
export function standaloneText(fn: (...args: never[]) => unknown): string {
  const text = `(${fn.toString()})`;
  const { references } = analyze(text, true);
  const unknown = references.filter(({ resolved, identifier }) => resolved === null && !(identifier.name in globalThis));
  const helpers = [...new Set(unknown.map(({ identifier }) => identifier.name))];
  return `(() => { ${helpers.map((name) => `const ${name} = (fn) => fn; `).join("")}return ${text}; })()`;
}
