/**
 * The environment of a job's calls, beside the job's log and not in it: it may hold secrets of the caller, of which nothing
 * is kept when the job has ended, whereas logs are kept for days.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { jobSpecSchema, type JobSpec } from "@burla/protocol";
import type { OpenFiles } from "./open-files.ts";
import { readSealed, writeSealed } from "./sealed-file.ts";

type Environments = Pick<JobSpec, "env" | "environment">;

const NONE: Environments = { env: [], environment: null };
const schema = v.object({ env: jobSpecSchema.entries.env, environment: jobSpecSchema.entries.environment });

const pathIn = (directory: string) => join(directory, "environment");

/** Writes it down. @returns the spec as the log may have it. @throws BurlaError BURLA_STORAGE */
export function keepEnvironment(directory: string, spec: JobSpec, files: OpenFiles): JobSpec {
  const { env, environment } = spec;
  if (env.length === 0 && environment === null) return spec;
  writeSealed(pathIn(directory), { env, environment }, files);
  return { ...spec, ...NONE };
}

/** The spec as it was before `keepEnvironment`. @throws DamageError, or BurlaError BURLA_STORAGE when what it has kept cannot be read now. */
export function withEnvironment(directory: string, spec: JobSpec, files: OpenFiles): JobSpec {
  return { ...spec, ...readSealed(pathIn(directory), schema, files) };
}

/** Nobody will call its function again. */
export function forgetEnvironment(directory: string): void {
  // Damage may have put a file in the place of the folder.
  if (existsSync(pathIn(directory))) rmSync(pathIn(directory));
}
