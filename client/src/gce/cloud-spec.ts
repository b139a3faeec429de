/** Which cluster on Google Cloud is meant: by a document, by the name of one that was started before, or a usual one. */
import { BurlaError, type ClusterSpec } from "@burla/protocol";
import { LOCAL } from "../cluster.ts";
import type { CloudOptions } from "../control/types.ts";
import { clusterDirectory } from "../local-cluster.ts";
import { readSpecFile, readStoredSpec } from "../spec-file.ts";
import { REGIONS, usualGceSpec } from "./usual-spec.ts";

/** Regions that a usual cluster can be in; the first is the default. */
export function cloudRegions(): string[] {
  return Object.keys(REGIONS);
}

/** @throws BurlaError BURLA_SPEC for a document that cannot be used, or a cluster that is not on Google Cloud. */
export function cloudSpecOf({ spec, name, nodes, region, project }: CloudOptions): ClusterSpec {
  if (spec !== undefined) return asCloudSpec(readSpecFile(spec), project);
  const stored = nodes === undefined && region === undefined ? storedSpec(name) : null;
  return asCloudSpec(stored ?? usualGceSpec({ name, nodes, region }), project);
}

/** @param project instead of the one that the spec names. @throws BurlaError BURLA_SPEC as `cloudSpecOf`. */
export function asCloudSpec(found: ClusterSpec, project: string | undefined): ClusterSpec {
  if (found.provider !== "gce") throw new BurlaError("BURLA_SPEC", `the cluster "${found.name}" is not on Google Cloud`, { cure: 'Its spec must say `"provider": "gce"`.' });
  if (found.name === LOCAL) throw new BurlaError("BURLA_SPEC", `the name "${LOCAL}" is that of the cluster on this machine`, { cure: "Choose another." });
  return project === undefined ? found : { ...found, gce: { ...found.gce, project } };
}

function storedSpec(name: string | undefined): ClusterSpec | null {
  return name === undefined ? null : readStoredSpec(clusterDirectory(name));
}
