import { serialize } from "node:v8";
import { codeRefKey, type CodeRef } from "./code-refs.ts";
import { CaptureError } from "./errors.ts";
import type { HeapNode, Slots } from "./heap-format.ts";
import { pathNames } from "./path.ts";
import type { ValueGraph } from "./values.ts";
import type { Draft, Vertex } from "./vertex.ts";

/** Captured values, ready to send. */
export interface EncodedValues {
  bytes: Uint8Array;
  /** What the nodes of kind `code` point to. */
  codes: CodeRef[];
}

/** What must be there before the object can be made; all else is filled in when everything is made. */
function neededFirst({ kind, data, slots, privates }: Draft): unknown[] {
  const owners = (privates ?? []).map(({ owner }) => owner);
  if (["bound", "call", "construct"].includes(kind) || (data as { early?: boolean } | undefined)?.early === true) return [...slots, ...owners];
  return [...slots.slice(0, 2), ...owners];
}

/** The special vertices, each after those that it is made from: the reader makes one by one, and never calls itself for long. */
function inOrder(graph: ValueGraph): Vertex[] {
  const ordered = new Set<Vertex>();
  const begun = new Set<Vertex>();
  const pending = [...graph.vertices.values()].filter((vertex) => vertex.special).reverse();
  for (let vertex = pending.at(-1); vertex !== undefined; vertex = pending.at(-1)) {
    if (begun.has(vertex)) {
      ordered.add(vertex);
      pending.pop();
      continue;
    }
    begun.add(vertex);
    for (const value of neededFirst(graph.draftOf(vertex))) {
      const needed = graph.vertices.get(value as object);
      if (needed?.special === true && !begun.has(needed)) pending.push(needed);
    }
  }
  return [...ordered];
}

/** Copies everything that the graph holds, as it is now. Throws CaptureError. */
export function encodeValues(graph: ValueGraph, root: Vertex): EncodedValues {
  const special = inOrder(graph);
  const ids = new Map<unknown, number>(special.map((vertex, id) => [vertex.value, id]));
  const codes: CodeRef[] = [];
  const codeIds = new Map<string, number>();
  const slotsOf = (values: readonly unknown[]): Slots => {
    const refs = values.map((value) => ids.get(value) ?? -1);
    return { raws: values.map((value, index) => ((refs[index] as number) < 0 ? value : undefined)), refs };
  };
  const codeId = (ref: CodeRef): number => {
    const key = codeRefKey(ref);
    const known = codeIds.get(key);
    if (known !== undefined) return known;
    codeIds.set(key, codes.length);
    return codes.push(ref) - 1;
  };
  const heap = special.map((vertex): HeapNode => {
    const { kind, data, slots, proto, props, privates, integrity, ref } = graph.draftOf(vertex);
    return {
      kind,
      data: ref === undefined ? data : codeId(ref),
      slots: slotsOf(slots),
      ...(proto === undefined ? {} : { proto: slotsOf([proto]) }),
      ...(props === undefined ? {} : { props: { flags: props.flags, slots: slotsOf(props.slots) } }),
      ...(privates === undefined
        ? {}
        : { privates: privates.map(({ owner, names, values }) => ({ names, slots: slotsOf([owner, ...values]) })) }),
      ...(integrity === undefined ? {} : { integrity }),
    };
  });
  try {
    return { bytes: serialize({ heap, root: ids.get(root.value) }), codes };
  } catch (cause) {
    throw new CaptureError({
      path: pathNames(root.path),
      what: `something that it closes over cannot be copied: ${(cause as Error).message}`,
      cure: "Create it inside the function.",
      cause,
    });
  }
}
