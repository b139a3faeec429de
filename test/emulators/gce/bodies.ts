/** Bodies are held against the definitions that Google's client ships: the API refuses what it does not know. */
import { createRequire } from "node:module";
import { ApiError } from "./http.ts";

interface Field {
  readonly type: string;
  readonly rule?: "repeated";
  /** Of a map. */
  readonly keyType?: string;
}

interface Definition {
  readonly fields?: Readonly<Record<string, Field>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly nested?: Readonly<Record<string, Definition>>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const file = createRequire(import.meta.url)("@google-cloud/compute/build/protos/protos.json") as Definition;
const definitions = ["google", "cloud", "compute", "v1"].reduce<Definition | undefined>((at, name) => at?.nested?.[name], file)?.nested ?? {};

const invalid = (field: string, why: string) => new ApiError(400, "invalid", `Invalid value for field '${field}': ${why}`);

/** @param type such as `Instance`. @throws ApiError 400 for a field or a value of an enumeration that it does not have. */
export function checkBody(type: string, body: unknown, at = "resource"): void {
  const definition = definitions[type];
  if (definition?.fields === undefined) return;
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid(at, "an object is expected.");
  for (const [name, value] of Object.entries(body)) {
    const field = definition.fields[name];
    if (field === undefined) throw new ApiError(400, "invalid", `Invalid JSON payload received. Unknown name "${name}" at '${at}': Cannot find field.`);
    checkValue(definition, name, field, value, `${at}.${name}`);
  }
}

function checkValue(definition: Definition, name: string, { type, rule, keyType }: Field, value: unknown, at: string): void {
  if (rule === "repeated" && !Array.isArray(value)) throw invalid(at, "a list is expected.");
  if (keyType !== undefined) return;
  // Fields with values of an enumeration are of the type string; the enumeration beside them has their name.
  const allowed = definition.nested?.[name.charAt(0).toUpperCase() + name.slice(1)]?.values;
  for (const one of rule === "repeated" ? (value as unknown[]) : [value]) {
    checkBody(type, one, at);
    if (allowed !== undefined && !(String(one) in allowed)) throw invalid(at, `'${String(one)}'.`);
    if (type === "bool" && typeof one !== "boolean") throw invalid(at, "a boolean is expected.");
    if (type === "string" && typeof one !== "string") throw invalid(at, "a string is expected.");
  }
}

/** @throws ApiError 400 for a request id that is no UUID, or the one that is zero. */
export function checkRequestId(id: string | null): void {
  if (id !== null && !UUID.test(id)) throw invalid("requestId", `'${id}'. The request id must be a valid UUID.`);
}
