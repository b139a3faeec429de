import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/** `class Item2 extends Base {`, which esbuild also writes as `var Item2 = class extends Base {`. */
const CLASS = /^(\s*(?:class |(?:var|let|const) ))([\w$]+)(?: = class)?(?: extends [\w$.(), ]+)? \{$/;
/** `User = class User2 {`, as compilers write a class with decorators. */
const NAMED_EXPRESSION = /^(\s*(?:(?:var|let|const) )?(?:[\w$]+ = )+class )([\w$]+)(?: extends [\w$.(), ]+)? \{$/;
const TOP_LEVEL = /^((?:async )?function\*? ?|var )([\w$]+)/;
/** The function that esbuild puts around a CommonJS module, and functions declared in it. */
const COMMONJS = /^ {2}".*"\([\w$, ]*\) \{$/;
const IN_COMMONJS = /^( {4}(?:async )?function\*? ?)([\w$]+)\(/;

/**
 * A bundler gives one of two things with the same name another. This gives back the names that programs can see, as the
 * `name` of a class or a function: it says what kind of error was thrown, and what a thing is registered as. Lines stay as
 * they are. (esbuild's own `keepNames` does it for each inner function at each call, which costs time.)
 */
export function keepNames(code: string, map: string): string {
  const trace = new TraceMap(map);
  if (trace.names.length === 0) return code;
  const lines = code.trimEnd().split("\n");
  /** What is written at the end of a line, by the number of the line. */
  const added = new Map<number, string>();
  const add = (row: number, text: string): Map<number, string> => added.set(row, (added.get(row) ?? "") + text);
  const renamed = (row: number, pattern: RegExp): { name: string; original: string } | undefined => {
    const [, before = "", name] = pattern.exec(lines[row] as string) ?? [];
    const original = name === undefined ? null : originalPositionFor(trace, { line: row + 1, column: before.length }).name;
    return name === undefined || original === null || original === name ? undefined : { name, original };
  };
  let wrapper = -1;
  for (const [row, line] of lines.entries()) {
    if (COMMONJS.test(line)) wrapper = row;
    const asClass = renamed(row, NAMED_EXPRESSION) ?? renamed(row, CLASS);
    const inCommonJs = renamed(row, IN_COMMONJS);
    const atTop = renamed(row, TOP_LEVEL);
    if (asClass !== undefined) add(row, ` static { ${ifNamed("this", asClass.name)} ${naming("this", asClass.original)} }`);
    else if (inCommonJs !== undefined && wrapper >= 0) add(wrapper, ` ${naming(inCommonJs.name, inCommonJs.original)}`);
    else if (atTop !== undefined) add(lines.length - 1, `\n${ifNamed(atTop.name, atTop.name)} ${naming(atTop.name, atTop.original)}`);
  }
  return `${lines.map((line, row) => line + (added.get(row) ?? "")).join("\n")}\n`;
}

function naming(target: string, name: string): string {
  return `Object.defineProperty(${target}, "name", { value: ${JSON.stringify(name)}, configurable: true });`;
}

/** A variable may hold anything, also a function that has got its name elsewhere; a class may say itself what its `name` is. */
function ifNamed(target: string, name: string): string {
  return `if (typeof ${target} === "function" && Object.isExtensible(${target}) && Object.getOwnPropertyDescriptor(${target}, "name")?.value === ${JSON.stringify(name)})`;
}
