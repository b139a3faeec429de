/** Functions that Node made from others, and how to make them again. */
import { createRequire } from "node:module";
import { callbackify, promisify } from "node:util";
import { readVariable, type ScopeSnapshot } from "./inspect.ts";

/** `maker(...args)` gives such a function. */
export interface MadeFunction {
  maker: object;
  args: unknown[];
}

/** By V8's name for the scope in which Node keeps what it was made from: which variable that is. */
const SOURCES: Readonly<Record<string, { maker: object; variable: string }>> = {
  "Closure (promisify)": { maker: promisify, variable: "original" },
  "Closure (customPromiseExecFunction)": { maker: promisify, variable: "orig" },
  "Closure (callbackify)": { maker: callbackify, variable: "original" },
};

/** How one of Node's own functions, with these scopes, came to be; undefined if that is not known. */
export function madeFunction(fn: object, scopes: readonly ScopeSnapshot[]): MadeFunction | undefined {
  const [scope] = scopes;
  const source = scope === undefined ? undefined : SOURCES[scope.description];
  if (scope !== undefined && source !== undefined) return { maker: source.maker, args: [readVariable(scope, source.variable)] };
  const folder = folderOfRequire(fn);
  return folder === undefined ? undefined : { maker: createRequire, args: [`${folder}/`] };
}

/** The folder from which a `require` resolves, if the function is one: it tells where it would look for a neighbour. */
function folderOfRequire(fn: object): string | undefined {
  const { name, resolve } = fn as Partial<NodeJS.Require> & { name: string };
  if (name !== "require" || typeof resolve !== "function" || typeof resolve.paths !== "function") return undefined;
  return resolve.paths("./neighbour")?.[0];
}
