/** Own properties of captured values, and which of them need not travel because the text or the kind makes them. */
import type * as ESTree from "estree";
import { FLAG } from "./heap-format.ts";
import { isClassNode } from "./syntax.ts";
import type { Template } from "./template.ts";
import type { Draft } from "./vertex.ts";

/** Whether a property is made without us: `"flags"` when that is so of its value or accessors only. */
export type Skip = (key: PropertyKey, descriptor: PropertyDescriptor) => boolean | "flags";

/** @param gone keys that are made without us, and that the value has no longer. */
export function propsOf(value: object, skip: Skip, gone: readonly PropertyKey[] = []): Pick<Draft, "props"> {
  const flags: number[] = [];
  const slots: unknown[] = [];
  for (const key of gone) {
    flags.push(FLAG.gone);
    slots.push(key);
  }
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    const skipped = skip(key, descriptor);
    if (skipped === true) continue;
    flags.push(flagsOf(descriptor) | (skipped === "flags" ? FLAG.kept : 0));
    slots.push(key);
    if (skipped === "flags") continue;
    if ("value" in descriptor) slots.push(descriptor.value);
    else slots.push(descriptor.get, descriptor.set);
  }
  return flags.length === 0 ? {} : { props: { flags, slots } };
}

/** How many slots the property takes after its key. */
export function slotCount(flag: number): number {
  if ((flag & (FLAG.gone | FLAG.kept)) !== 0) return 0;
  return (flag & FLAG.accessor) === 0 ? 1 : 2;
}

function flagsOf(descriptor: PropertyDescriptor): number {
  return (
    (descriptor.enumerable === true ? FLAG.enumerable : 0) |
    (descriptor.configurable === true ? FLAG.configurable : 0) |
    (descriptor.writable === true ? FLAG.writable : 0) |
    ("value" in descriptor ? 0 : FLAG.accessor)
  );
}

export const isFunctionOwn: Skip = (key) => key === "length" || key === "name" || key === "arguments" || key === "caller";

/** `name` and `length` as a function's own text gives them, and what V8 shows of the calls of old functions. */
export function isMadeByText({ site: { node }, name }: Template, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
  if (key === "arguments" || key === "caller") return descriptor.value === null && !isClassNode(node);
  if (descriptor.writable !== false || descriptor.enumerable !== false || descriptor.configurable !== true) return false;
  if (key === "name") return descriptor.value === nameInText(node, name);
  return key === "length" && descriptor.value === lengthInText(node);
}

/** The name that a function made from the text has by itself. */
function nameInText(node: Template["site"]["node"], name: string): string {
  const keepsName = node.type === "FunctionExpression" || isClassNode(node);
  return keepsName && node.id != null ? node.id.name : name;
}

/** How many arguments the function says that it takes. */
function lengthInText(node: Template["site"]["node"]): number {
  const params = isClassNode(node) ? (constructorOf(node)?.params ?? []) : node.params;
  const optional = params.findIndex(({ type }) => type === "AssignmentPattern" || type === "RestElement");
  return optional < 0 ? params.length : optional;
}

function constructorOf({ body }: ESTree.Class): ESTree.FunctionExpression | undefined {
  const found = body.body.find((member): member is ESTree.MethodDefinition => member.type === "MethodDefinition" && member.kind === "constructor");
  return found?.value;
}
