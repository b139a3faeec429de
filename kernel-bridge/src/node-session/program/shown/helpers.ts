/**
 * `display` and `input`, as cells see them. They are scripts of their own and reach the session through a symbol, so that
 * a function which uses them can run on the cluster, where there is no session: there `display` prints.
 */
import { Script } from "node:vm";

export const HELPERS_KEY = Symbol.for("burla.session.helpers");

/** What the session does for the helpers. */
export interface HelperTarget {
  readonly display: (value: unknown, options?: DisplayOptions) => DisplayHandle;
  readonly forms: (forms: Record<string, unknown>, options?: DisplayOptions) => DisplayHandle;
  readonly clear: (options?: { readonly wait?: boolean }) => void;
  readonly input: (prompt?: string, options?: { readonly password?: boolean }) => Promise<string>;
}

export interface DisplayOptions {
  /** Shown again under the same id, it takes the place of what was shown before. */
  readonly id?: string;
}

export interface DisplayHandle {
  readonly id: string;
  readonly update: (value: unknown) => void;
}

const DISPLAY = `(() => {
  const display = function display(value, options) {
    const session = globalThis[Symbol.for("burla.session.helpers")];
    if (session !== undefined) return session.display(value, options);
    console.log(value);
    return { id: "", update: (next) => console.log(next) };
  };
  const form = (type) => (content, options) => {
    const session = globalThis[Symbol.for("burla.session.helpers")];
    if (session !== undefined) return session.forms({ [type]: content }, options);
    console.log(content);
    return { id: "", update: (next) => console.log(next) };
  };
  return Object.assign(display, {
    html: form("text/html"), svg: form("image/svg+xml"), markdown: form("text/markdown"), json: form("application/json"), text: form("text/plain"),
    clear: (options) => globalThis[Symbol.for("burla.session.helpers")]?.clear(options),
  });
})()`;

const INPUT = `(function input(prompt, options) {
  const session = globalThis[Symbol.for("burla.session.helpers")];
  if (session === undefined) throw new Error("input() asks the user of a notebook: it does not work on the cluster");
  return session.input(prompt, options);
})`;

export function installHelpers(target: HelperTarget): void {
  Object.defineProperty(globalThis, HELPERS_KEY, { value: target, configurable: true });
  for (const [name, source] of [["display", DISPLAY], ["input", INPUT]] as const) {
    const value: unknown = new Script(source, { filename: `burla:${name}` }).runInThisContext();
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
}
