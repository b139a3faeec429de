/** The JSON Schema of what people write as a cluster spec. */
import { toJsonSchema } from "@valibot/to-json-schema";
import { clusterSpecSchema } from "@burla/protocol";

export function specSchemaText(): string {
  // What a check of several parts together says has no word in JSON Schema.
  const schema = toJsonSchema(clusterSpecSchema, { typeMode: "input", ignoreActions: ["check", "forward", "partial_check"] });
  return `${JSON.stringify({ title: "Burla cluster spec", ...schema }, null, 2)}\n`;
}
