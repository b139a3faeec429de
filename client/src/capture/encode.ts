import { serialize } from "node:v8";
import { codeRefKey, type CodeRef } from "./code-refs.ts";
import { CaptureError } from "./errors.ts";
import type { HeapNode, Slots } from "./heap-format.ts";
import { pathNames } from "./path.ts";
import type { ValueGraph } from "./values.ts";
import type { Vertex } from "./vertex.ts";

/** Captured values, ready to send. */
export interface EncodedValues {
  bytes: Uint8Array;
  /** What the nodes of kind `code` point to. */
  codes: CodeRef[];
}

/** Copies everything that the graph holds, as it is now. Throws CaptureError. */
export function encodeValues(graph: ValueGraph, root: Vertex): EncodedValues {
  const special = [...graph.vertices.values()].filter((vertex) => vertex.special);
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
