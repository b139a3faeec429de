/** A JSON document in a file, with its checksum in a last line of its own: replaced as a whole, and never read as what it is not. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import * as v from "valibot";
import { DamageError, messageOf, storageError } from "@burla/protocol";
import type { OpenFiles } from "./open-files.ts";

const SEAL = /\n#crc32 ([0-9a-f]{8})\n$/;

/** The text of such a file. */
export function sealed(value: unknown): string {
  const text = JSON.stringify(value);
  return `${text}\n#crc32 ${sumOf(text)}\n`;
}

/**
 * What the text holds. One without a checksum, as an earlier build wrote it, is taken as it is.
 * @throws Error that says what is wrong with it.
 */
export function unsealed<Value>(text: string, schema: v.GenericSchema<unknown, Value>): Value {
  const sum = SEAL.exec(text);
  const content = sum === null ? text : text.slice(0, sum.index);
  if (sum !== null && sum[1] !== sumOf(content)) throw new Error("its checksum is that of something else");
  return v.parse(schema, JSON.parse(content));
}

/** @throws BurlaError BURLA_STORAGE; then what was there still is. */
export function writeSealed(path: string, value: unknown, files: OpenFiles): void {
  const part = `${path}.part`;
  try {
    files.withRoom(() => writeFileSync(part, sealed(value), { mode: 0o600 }));
    renameSync(part, path);
  } catch (cause) {
    rmSync(part, { force: true, recursive: true });
    throw storageError(`write ${path}`, cause);
  }
}

/**
 * @param cure what to do about a damaged one.
 * @returns null when there is none.
 * @throws DamageError when it holds something else; BurlaError BURLA_STORAGE when it cannot be read.
 */
export function readSealed<Value>(path: string, schema: v.GenericSchema<unknown, Value>, files: OpenFiles, cure?: string): Value | null {
  let text: string;
  try {
    text = files.withRoom(() => readFileSync(path, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    if ((cause as NodeJS.ErrnoException).code === "EISDIR") throw new DamageError(path, "it is a folder", { cause, ...(cure !== undefined && { cure }) });
    throw storageError(`read ${path}`, cause);
  }
  try {
    return unsealed(text, schema);
  } catch (cause) {
    throw new DamageError(path, messageOf(cause).slice(0, MAX_REASON), { cause, ...(cure !== undefined && { cure }) });
  }
}

/** A parser may quote what it cannot read. */
const MAX_REASON = 200;

function sumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
