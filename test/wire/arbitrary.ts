/** Arbitrary values that fit a schema, and ways to break them. */
import fc from "fast-check";
import * as v from "valibot";

interface Action {
  readonly type: string;
  readonly requirement?: unknown;
  readonly pipe?: readonly Action[];
}

interface AnySchema extends v.GenericSchema {
  readonly type: string;
  readonly pipe?: readonly Action[];
  readonly entries?: Record<string, AnySchema>;
  readonly wrapped?: AnySchema;
  readonly item?: AnySchema;
  readonly items?: readonly AnySchema[];
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly value?: AnySchema;
}

/** One of each kind of name that crosses the wire: a custom schema takes those that it accepts. */
const NAMES: readonly fc.Arbitrary<string>[] = [
  fc.stringMatching(/^job-[0-9a-z]{19}$/),
  fc.stringMatching(/^[0-9a-f]{64}$/),
  fc.stringMatching(/^[\w.-]{1,64}$/),
];

/** @throws Error for a kind of schema that no message has used so far. */
export function valuesOf(generic: v.GenericSchema): fc.Arbitrary<unknown> {
  const schema = generic as AnySchema;
  switch (schema.type) {
    case "object":
    case "strict_object":
      return fc.record(mapEntries(schema.entries ?? {}, valuesOf), { noNullPrototype: true });
    case "literal":
      return fc.constant(schema.literal);
    case "boolean":
      return fc.boolean();
    case "picklist":
      return fc.constantFrom(...(schema.options ?? []));
    case "nullable":
      return fc.option(valuesOf(part(schema.wrapped)));
    case "number":
      return numbers(schema);
    case "string":
      return strings(schema);
    case "array":
      return fc.array(valuesOf(part(schema.item)), { maxLength: Math.min(20, limit(schema, "max_length") ?? 20) });
    case "tuple":
      return fc.tuple(...(schema.items ?? []).map(valuesOf));
    case "record":
      return fc.dictionary(fc.stringMatching(/^[A-Z_]{1,12}$/), valuesOf(part(schema.value)), { maxKeys: 4, noNullPrototype: true });
    case "variant":
      return fc.oneof(...(schema.options as AnySchema[]).map(valuesOf));
    case "custom":
      return fc.oneof(...NAMES).filter((name) => v.is(schema, name));
    default:
      throw new Error(`no arbitrary for a schema of type ${schema.type}`);
  }
}

/** Schemas of the messages of a union, by their `type`. */
export function messagesOf(union: v.GenericSchema): Map<string, v.GenericSchema> {
  const options = (union as AnySchema).options as AnySchema[];
  return new Map(options.map((option) => [String(option.entries?.["type"]?.literal), option]));
}

export interface Breakage {
  readonly how: string;
  readonly broken: unknown;
}

/** Every way to break a valid value in one place: a field missing, of another type, over its cap. */
export function* breakagesOf(generic: v.GenericSchema, valid: unknown, path = ""): Generator<Breakage> {
  const schema = generic as AnySchema;
  for (const wrong of [undefined, [[]], { odd: true }, Symbol.for("wrong").toString(), 1e400, -1.5, true]) {
    if (!v.is(schema, wrong)) yield { how: `${path || "the message"} is ${String(wrong)}`, broken: wrong };
  }
  for (const tooMuch of beyond(schema)) yield { how: `${path} is over its cap`, broken: tooMuch };
  if (schema.type === "nullable" && valid !== null) yield* breakagesOf(part(schema.wrapped), valid, path);
  if (schema.type === "array" && Array.isArray(valid) && valid.length > 0) {
    for (const { how, broken } of breakagesOf(part(schema.item), valid[0], `${path}[0]`)) yield { how, broken: [broken, ...valid.slice(1)] };
  }
  if (schema.entries === undefined) return;
  const fields = valid as Record<string, unknown>;
  for (const [key, entry] of Object.entries(schema.entries)) {
    const { [key]: value, ...rest } = fields;
    yield { how: `${path}.${key} is missing`, broken: rest };
    for (const { how, broken } of breakagesOf(entry, value, `${path}.${key}`)) yield { how, broken: { ...fields, [key]: broken } };
  }
}

function* beyond(schema: AnySchema): Generator<unknown> {
  const maxLength = limit(schema, "max_length");
  const max = limit(schema, "max_value");
  const min = limit(schema, "min_value");
  if (maxLength !== undefined && schema.type === "string") yield "x".repeat(maxLength + 1);
  if (maxLength !== undefined && schema.type === "array") yield Array<number>(maxLength + 1).fill(1);
  if (max !== undefined) yield max * 2;
  if (min !== undefined) yield min - 1;
}

function numbers(schema: AnySchema): fc.Arbitrary<number> {
  const min = limit(schema, "min_value") ?? -1e9;
  const max = limit(schema, "max_value") ?? 1e9;
  const isInteger = actionsOf(schema).some(({ type }) => type === "integer");
  return isInteger ? fc.maxSafeInteger().map((n) => clamp(n, min, max)) : fc.double({ min, max, noNaN: true }).map((n) => n + 0);
}

function clamp(n: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.abs(n) % Math.min(max + 1, 1e6))) + 0;
}

function strings(schema: AnySchema): fc.Arbitrary<string> {
  const regex = actionsOf(schema).find(({ type }) => type === "regex")?.requirement;
  if (regex instanceof RegExp) return fc.stringMatching(regex);
  return fc.string({ maxLength: Math.min(60, limit(schema, "max_length") ?? 60) });
}

function limit(schema: AnySchema, type: string): number | undefined {
  const requirements = actionsOf(schema).flatMap((action) => (action.type === type && typeof action.requirement === "number" ? [action.requirement] : []));
  if (requirements.length === 0) return undefined;
  return type.startsWith("max") ? Math.min(...requirements) : Math.max(...requirements);
}

/** A schema may be made from another one: the actions of both hold. */
function actionsOf({ pipe = [] }: { readonly pipe?: readonly Action[] }): Action[] {
  return pipe.flatMap((action) => [action, ...(action.pipe === pipe ? [] : actionsOf(action))]);
}

function part(schema: AnySchema | undefined): AnySchema {
  if (schema === undefined) throw new Error("a schema without its part");
  return schema;
}

function mapEntries<A, B>(entries: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, change(value)]));
}
