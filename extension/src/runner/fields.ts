/** The fields of a value that stand in columns of their own. */
import { MAX_FIELD_NAME_LENGTH, MAX_FIELD_TEXT_LENGTH, MAX_FIELDS, type Field, type Row } from "./messages.ts";
import { clip } from "./text.ts";

/** @param value as its JSON has it. @returns null for what is no plain object, or has no fields. */
export function fieldsOf(value: unknown): Row["fields"] {
  if (typeof value !== "object" || value === null || Array.isArray(value) || "$type" in value) return null;
  const fields: [string, Field][] = [];
  for (const name of Object.keys(value)) {
    if (fields.length === MAX_FIELDS) break;
    if (name.length <= MAX_FIELD_NAME_LENGTH) fields.push([name, fieldOf((value as Record<string, unknown>)[name])]);
  }
  return fields.length === 0 ? null : fields;
}

function fieldOf(value: unknown): Field {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return clip(typeof value === "string" ? value : JSON.stringify(value), MAX_FIELD_TEXT_LENGTH);
}
