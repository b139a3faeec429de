/** What the text of a class puts on the class and on its prototype when it is evaluated, and under which names. */
import type * as ESTree from "estree";
import type { Node } from "./syntax.ts";

/** A method or accessor; never the constructor, never a private one. */
export type Method = ESTree.MethodDefinition & Node;
/** A member whose name is an expression that was evaluated when the class was made. */
export type NamedByCode = (ESTree.MethodDefinition | ESTree.PropertyDefinition) & Node;

/** The public methods that the text makes. */
export function methodsOf({ body }: ESTree.Class): Method[] {
  return body.body.filter((member): member is Method => member.type === "MethodDefinition" && member.kind !== "constructor" && member.key.type !== "PrivateIdentifier");
}

/** The public fields of the class itself: their values travel as data, and the text is sent without them. */
export function staticFieldsOf({ body }: ESTree.Class): (ESTree.PropertyDefinition & Node)[] {
  return body.body.filter((member): member is ESTree.PropertyDefinition & Node => member.type === "PropertyDefinition" && member.static && member.key.type !== "PrivateIdentifier");
}

/** The members that stay in the text and whose names do not stand in it, in the order of the text. */
export function namedByCode({ body }: ESTree.Class): NamedByCode[] {
  return body.body.filter(
    (member): member is NamedByCode => (member.type === "MethodDefinition" || (member.type === "PropertyDefinition" && !member.static)) && writtenName(member) === undefined,
  );
}

/** The fields whose names V8 keeps because they are computed, those of the class itself too, in the order of the text. */
export function computedFieldsOf({ body }: ESTree.Class): (ESTree.PropertyDefinition & Node)[] {
  return body.body.filter((member): member is ESTree.PropertyDefinition & Node => member.type === "PropertyDefinition" && member.computed);
}

/** The expressions that were evaluated when the class was made, for the names of its members. */
export function computedNamesOf({ body }: ESTree.Class): Node[] {
  return body.body.flatMap((member) => (member.type !== "StaticBlock" && member.computed ? [member.key as unknown as Node] : []));
}

/** The name of a member as it stands in the text. */
export function writtenName({ key, computed }: ESTree.MethodDefinition | ESTree.PropertyDefinition): string | undefined {
  if (key.type === "Identifier" && !computed) return key.name;
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  return key.type === "Literal" && !("regex" in key) ? String(key.value) : undefined;
}
