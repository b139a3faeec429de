/** Own properties of captured values, and which of them need not travel because the text or the kind makes them. */
import type * as ESTree from "estree";
import { FLAG } from "./heap-format.ts";
import { isClassNode } from "./syntax.ts";
import type { Template } from "./template.ts";
import type { Draft } from "./vertex.ts";

export type Skip = (key: PropertyKey, descriptor: PropertyDescriptor) => boolean;

export function propsOf(value: object, skip: Skip): Pick<Draft, "props"> {
  const flags: number[] = [];
  const slots: unknown[] = [];
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    if (skip(key, descriptor)) continue;
    const shared = (descriptor.enumerable === true ? FLAG.enumerable : 0) | (descriptor.configurable === true ? FLAG.configurable : 0);
    if ("value" in descriptor) {
      flags.push(shared | (descriptor.writable === true ? FLAG.writable : 0));
      slots.push(key, descriptor.value);
    } else {
      flags.push(shared | FLAG.accessor);
      slots.push(key, descriptor.get, descriptor.set);
    }
  }
  return flags.length === 0 ? {} : { props: { flags, slots } };
}

export const isFunctionOwn: Skip = (key) => key === "length" || key === "name" || key === "arguments" || key === "caller";

export function skipOfFunction(template: Template): Skip {
  const inText = skipOfText(template);
  return (key, descriptor) => {
    if (key === "name") return descriptor.value === nameInText(template);
    if (key === "prototype") return true;
    return isFunctionOwn(key, descriptor) || inText(key, descriptor);
  };
}

/** The name that a function made from the text has by itself. */
function nameInText({ site: { node }, name }: Template): string {
  const keepsName = node.type === "FunctionExpression" || isClassNode(node);
  return keepsName && node.id != null ? node.id.name : name;
}

export function skipOfPrototype(template: Template): Skip {
  const inText = skipOfText(template);
  return (key, descriptor) => key === "constructor" || inText(key, descriptor);
}

/** Leaves out the methods that a class's own text makes. */
function skipOfText({ site, script }: Template): Skip {
  const { node } = site;
  if (!isClassNode(node)) return () => false;
  const text = script.source.slice(site.textStart, node.end);
  return (_key, { value, get, set }) => {
    const method: unknown = value ?? get ?? set;
    return typeof method === "function" && text.includes(Function.prototype.toString.call(method)) && !isOwnProperty(node, method);
  };
}

/** Whether the class's text makes the function as the value of a static field, not as a method. */
function isOwnProperty(node: ESTree.Class, method: object): boolean {
  return node.body.body.some(
    (member) =>
      member.type === "PropertyDefinition" && member.static && member.key.type === "Identifier" && member.key.name === (method as { name: string }).name,
  );
}
