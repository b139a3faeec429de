/** How a callback of a map is called on the cluster, where there is one input and no array. */
import { Script } from "node:vm";
import type ts from "typescript";
import type { TypeScript } from "../typescript.ts";

type AnyFunction = (...args: never[]) => unknown;

/** Which of `(value, index, array)` it looks at. */
export type CallbackNeeds = "value" | "index" | "array";

/** How many of the arguments the function may look at, by its text. */
export function needsOf(ts: TypeScript, fn: AnyFunction): CallbackNeeds {
  const text = Function.prototype.toString.call(fn);
  // Native and bound functions do not say. Most with one parameter look at one.
  if (/\[native code\]\s*\}\s*$/.test(text)) return fn.length === 1 ? "value" : "array";
  const node = parseFunction(ts, text);
  if (node === undefined || node.parameters.some(({ dotDotDotToken }) => dotDotDotToken !== undefined) || usesArguments(ts, node)) return "array";
  if (node.parameters.length > 2) return "array";
  return node.parameters.length === 2 ? "index" : "value";
}

/** Whether calling it gives a promise. */
export function isAsync(fn: AnyFunction): boolean {
  return Object.prototype.toString.call(fn) === "[object AsyncFunction]";
}

/** The function as one that tells whether its calls give promises. */
export function tellingPromises(fn: AnyFunction): AnyFunction {
  return wrappers().promising(fn);
}

/** The function with its inputs in what is captured of it: the job's own are their places. */
export function holding(fn: AnyFunction, values: readonly unknown[]): AnyFunction {
  return wrappers().holding(fn, values);
}

/** The turn of a loop: promises that it collects are awaited there. */
export function collecting(turn: AnyFunction): AnyFunction {
  return wrappers().collecting(turn);
}

/** A result, and whether the call gave a promise of it. */
export function readPromised(value: unknown): { readonly value: unknown; readonly isPromised: boolean } {
  const isPromised = typeof value === "object" && value !== null && PROMISED in value;
  return { value: isPromised ? (value as Record<string, unknown>)[PROMISED] : value, isPromised };
}

/** The same for what it failed with, and what a turn of a loop has collected before. */
export function readRejected(reason: unknown): { readonly reason: unknown; readonly isPromised: boolean; readonly collected: unknown } {
  const isPromised = reason instanceof Error && reason.name === REJECTED;
  return { reason: isPromised ? reason.cause : reason, isPromised, collected: isPromised ? (reason as { readonly collected?: unknown }).collected : undefined };
}

/** The user has not written the functions that we put around theirs. */
export function withoutWrappers(reason: unknown): unknown {
  if (reason instanceof Error && typeof reason.stack === "string") {
    const stack = reason.stack.replaceAll(/\n\s+at [^\n]*burla:map:[^\n]*/g, "");
    if (stack !== reason.stack) Object.defineProperty(reason, "stack", { value: stack, configurable: true, writable: true, enumerable: false });
  }
  return reason;
}

/** The function as a job calls it. With `withIndex`, inputs are pairs of a value and its index in the array. */
export function remoteCallback(fn: AnyFunction, needs: CallbackNeeds, withIndex: boolean): AnyFunction {
  if (withIndex) return needs === "index" ? wrappers().pairOfBoth(fn) : wrappers().pairOfValue(fn);
  return needs === "index" ? wrappers().indexed(fn) : fn;
}

interface Wrappers {
  readonly indexed: (fn: AnyFunction) => AnyFunction;
  readonly pairOfValue: (fn: AnyFunction) => AnyFunction;
  readonly pairOfBoth: (fn: AnyFunction) => AnyFunction;
  readonly promising: (fn: AnyFunction) => AnyFunction;
  readonly holding: (fn: AnyFunction, values: readonly unknown[]) => AnyFunction;
  readonly collecting: (turn: AnyFunction) => AnyFunction;
  /** The whole expression, as one call. */
  readonly whole: Readonly<Record<string, (receiver: unknown, fn: unknown) => () => unknown>>;
}

/** Frames of this name are left out of stacks. */
export const WRAPPERS_FILE = "burla:map";

/** What a call gives in the place of a promise's value, and what it throws for what a promise fails with. */
const PROMISED = "burla:promised";
const REJECTED = "burla:rejected";

/** A script of its own: what is captured of a wrapper is its text alone, not that of the program. */
const WRAPPERS = `({
  indexed: (fn) => (value, context) => fn(value, context.index),
  pairOfValue: (fn) => ([value]) => fn(value),
  pairOfBoth: (fn) => ([value, index]) => fn(value, index),
  promising: (fn) => (value, context) => {
    const given = fn(value, context);
    if ((typeof given !== "object" && typeof given !== "function") || given === null || typeof given.then !== "function") return given;
    return given.then(
      (value) => ({ "burla:promised": value }),
      (cause) => { throw Object.assign(new Error("rejected", { cause }), { name: "burla:rejected" }); },
    );
  },
  holding: (fn, values) => (at, context) => fn(values[at], context),
  collecting: (turn) => async (input) => {
    const awaited = async (value) => (typeof value?.then === "function" ? { "burla:promised": await value } : value);
    const collected = async (out) => { const all = []; for (const [kind, values] of out) all.push([kind, await Promise.all(values.map(awaited))]); return all; };
    const out = [];
    try {
      await turn(input, out);
    } catch (cause) {
      if (out.length === 0) throw cause;
      throw Object.assign(new Error("rejected", { cause }), { name: "burla:rejected", collected: await collected(out) });
    }
    return collected(out);
  },
  whole: {
    map: (receiver, fn) => () => receiver.map(fn),
    flatMap: (receiver, fn) => () => receiver.flatMap(fn),
    filter: (receiver, fn) => () => receiver.filter(fn),
    from: (receiver, fn) => () => Array.from(receiver, fn),
    mapAll: (receiver, fn) => () => Promise.all(receiver.map(fn)),
    fromAll: (receiver, fn) => () => Promise.all(Array.from(receiver, fn)),
    mapAllSettled: (receiver, fn) => () => Promise.allSettled(receiver.map(fn)),
    fromAllSettled: (receiver, fn) => () => Promise.allSettled(Array.from(receiver, fn)),
  },
})`;

let made: Wrappers | undefined;

export function wrappers(): Wrappers {
  made ??= new Script(`"use strict";${WRAPPERS}`, { filename: WRAPPERS_FILE }).runInThisContext() as Wrappers;
  return made;
}

function parseFunction(ts: TypeScript, text: string): ts.SignatureDeclaration | undefined {
  for (const candidate of [`(${text})`, `({ ${text} })`]) {
    const file = ts.createSourceFile("callback.js", candidate, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
    if ((file as unknown as { parseDiagnostics: readonly unknown[] }).parseDiagnostics.length > 0) continue;
    const found = firstFunction(ts, file);
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstFunction(ts: TypeScript, node: ts.Node): ts.SignatureDeclaration | undefined {
  if (ts.isFunctionLike(node)) return node;
  return ts.forEachChild(node, (child) => firstFunction(ts, child));
}

function usesArguments(ts: TypeScript, fn: ts.Node): boolean {
  let found = false;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === "arguments") found = true;
    ts.forEachChild(node, visit);
  };
  visit(fn);
  return found;
}
