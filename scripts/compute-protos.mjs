/**
 * For bundles: Google's client of Compute Engine carries the descriptions of all its services, in two versions. Those that
 * `clients.cjs` loads, and the messages that these use, are a twentieth of them.
 */
import { readFile } from "node:fs/promises";

const SERVICES = ["Firewalls", "GlobalOperations", "Instances", "Regions", "ZoneOperations"];
/** Where a description names another one. */
const NAMES_A_TYPE = /"(?:type|requestType|responseType)":"([\w.]+)"/g;

export const computeProtos = {
  name: "compute-protos",
  setup(build) {
    build.onLoad({ filter: /[\\/]@google-cloud[\\/]compute[\\/]build[\\/]protos[\\/]protos\.json$/ }, async ({ path }) => ({
      contents: JSON.stringify(withoutUnused(JSON.parse(await readFile(path, "utf8")))),
      loader: "json",
    }));
  },
};

function withoutUnused(protos) {
  const { compute } = protos.nested.google.nested.cloud.nested;
  const { v1 } = compute.nested;
  const used = reachable(v1.nested, SERVICES);
  compute.nested = { v1: { ...v1, nested: Object.fromEntries(Object.entries(v1.nested).filter(([name]) => used.has(name))) } };
  return protos;
}

function reachable(types, from) {
  const found = new Set();
  for (const queue = [...from]; queue.length > 0; ) {
    const name = queue.pop();
    if (found.has(name) || types[name] === undefined) continue;
    found.add(name);
    // A type of its own inside another is named by its last part, or with what is around it.
    for (const [, type] of JSON.stringify(types[name]).matchAll(NAMES_A_TYPE)) queue.push(...type.split("."));
  }
  return found;
}
