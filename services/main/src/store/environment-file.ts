/**
 * The environment of a job's calls, beside the job's log and not in it: it may hold secrets of the caller, of which nothing
 * is kept when the job has ended, whereas logs are kept for days.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { jobSpecSchema, pack, unpack, type JobSpec } from "@burla/protocol";
import { storageError } from "./storage-error.ts";

type Environments = Pick<JobSpec, "env" | "environment">;

const NONE: Environments = { env: [], environment: null };
const schema = v.object({ env: jobSpecSchema.entries.env, environment: jobSpecSchema.entries.environment });

const pathIn = (directory: string) => join(directory, "environment");

/** Writes it down. @returns the spec as the log may have it. @throws BurlaError BURLA_STORAGE */
export function keepEnvironment(directory: string, spec: JobSpec): JobSpec {
  const { env, environment } = spec;
  if (env.length === 0 && environment === null) return spec;
  try {
    writeFileSync(pathIn(directory), pack({ env, environment }), { mode: 0o600 });
  } catch (cause) {
    throw storageError("keep the environment of a job", cause);
  }
  return { ...spec, ...NONE };
}

/** The spec as it was before `keepEnvironment`. @throws BurlaError BURLA_STORAGE when what it has kept cannot be read. */
export function withEnvironment(directory: string, spec: JobSpec): JobSpec {
  try {
    return { ...spec, ...v.parse(schema, unpack(readFileSync(pathIn(directory)))) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return spec;
    throw storageError("read the environment of a job", cause);
  }
}

/** Nobody will call its function again. */
export function forgetEnvironment(directory: string): void {
  // Damage may have put a file in the place of the folder.
  if (existsSync(pathIn(directory))) rmSync(pathIn(directory));
}
