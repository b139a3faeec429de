import { MAX_FUNCTION_BYTES } from "@burla/protocol";
import { ClassRegisters } from "./class-registers.ts";
import { DecoratorNotes } from "./decorator-notes.ts";
import { encodeValues } from "./encode.ts";
import { emitEntry, emitReexport } from "./entry.ts";
import { explainGraph, largestOf } from "./explain.ts";
import { FunctionReader } from "./functions.ts";
import { HeapContexts } from "./heap-contexts.ts";
import { Inspector, ScriptStore } from "./inspect.ts";
import { Natives } from "./natives.ts";
import { SharedVariables } from "./shared-variables.ts";
import type { Capture } from "./types.ts";
import { ValueGraph } from "./values.ts";
import { World, type CaptureOptions } from "./world.ts";

export type { Capture } from "./types.ts";
export type { CaptureOptions } from "./world.ts";
export { CaptureError } from "./errors.ts";

const scripts = new ScriptStore();
const natives = new Natives();

/**
 * Reads a function of this process, with everything it closes over, as it is at this moment.
 * Throws CaptureError, naming the path to whatever cannot travel.
 */
export function captureFunction(fn: (...args: never[]) => unknown, options: CaptureOptions = {}): Capture {
  const world = new World(options);
  const inspector = new Inspector(scripts);
  try {
    const name = displayName(fn);
    const root = { step: name, from: undefined };
    const contexts = new HeapContexts(inspector, scripts.outerThis);
    const functions = new FunctionReader(inspector, natives, world, contexts);
    const shared = new SharedVariables((closure, variable) => contexts.contextOf(closure, variable));
    const notes = new DecoratorNotes(inspector, world);
    const graph = new ValueGraph({ functions, natives, contexts, shared, notes });
    const { setup } = options;
    const members = setup === undefined ? [] : [{ value: fn, path: root }, { value: setup, path: { step: "setup", from: undefined } }];
    const vertex = graph.addRoot(setup === undefined ? fn : [fn, setup], root, members);
    new ClassRegisters(inspector, world).refuse([...graph.vertices.values()]);
    const { bytes, codes } = encodeValues(graph, vertex);
    const isReexport = vertex.fn?.kind === "code";
    const explanation = () => explainGraph(graph, graph.vertices.get(fn) ?? vertex, name, world);
    const about = { wantsContext: functions.takesContext(fn), first: notes.library };
    return {
      name,
      values: isReexport ? new Uint8Array() : bytes,
      entry: vertex.fn?.kind === "code" ? emitReexport([vertex.fn.ref], about) : emitEntry(functions.templates, codes, about),
      origin: functions.origin ?? world.directory,
      ...(options.explain === true ? { explanation: explanation() } : {}),
      ...(bytes.byteLength > MAX_FUNCTION_BYTES ? { largest: largestOf(explanation()) } : {}),
    };
  } finally {
    inspector.close();
  }
}

/** What was bound often has a name as long. */
const MAX_NAME = 200;

function displayName(fn: object): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, "name")?.value;
  if (typeof name !== "string" || name === "") return "the function";
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME)}…`;
}
