/** Writes docs/cluster-spec.schema.json: the schema of the cluster spec as editors read it. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { specSchemaText } from "../test/support/spec-schema.ts";

writeFileSync(fileURLToPath(new URL("../docs/cluster-spec.schema.json", import.meta.url)), specSchemaText());
