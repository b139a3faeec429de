/**
 * The body of a chunk: its inputs as the client's language writes them. Of an input that could not be written the refusal
 * travels in its place, so that it has its index, is counted and is answered as any other.
 *
 *   the values                                              when all could be written
 *   REFUSALS | u32 length | MessagePack of [position, code, message][] | the values, with nothing in those places
 */
import * as v from "valibot";
import type { BurlaError} from "./errors.ts";
import { toldText } from "./errors.ts";
import { pack, unpack } from "./frame.ts";
import { MAX_CHUNK_INPUTS } from "./limits.ts";
import { openValues } from "./value.ts";

/** V8 begins with 0xFF, values with errors among them with 0x01, Python's pickle with 0x80. */
const REFUSALS = 0x02;
const HEAD_BYTES = 5;
const MAX_MESSAGE_CHARACTERS = 4_000;

/** Why an input is not there, as an envelope of an error has it. */
export interface InputFailure {
  readonly code: string;
  readonly message: string;
}

export interface OpenedInputs {
  readonly values: readonly unknown[];
  /** By position: inputs that could not be written where they were, or cannot be read here. */
  readonly failures: ReadonlyMap<number, InputFailure>;
}

const refusalsSchema = v.pipe(
  v.array(v.tuple([v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_CHUNK_INPUTS)), v.string(), v.string()])),
  v.maxLength(MAX_CHUNK_INPUTS),
);

/** @param values all of the chunk, written with `undefined` in the place of those that are refused. */
export function withRefusals(values: Uint8Array, refusals: ReadonlyMap<number, BurlaError>): Uint8Array {
  if (refusals.size === 0) return values;
  const list = pack([...refusals].map(([position, error]) => [position, error.code, toldText(error).slice(0, MAX_MESSAGE_CHARACTERS)]));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(REFUSALS);
  head.writeUInt32LE(list.byteLength, 1);
  return Buffer.concat([head, list, values]);
}

/** The inputs of a chunk, `first` being the index of its first one. Never throws: of bytes that are damaged none can be read. */
export function openInputs(body: Uint8Array, count: number, first: number): OpenedInputs {
  const refused = body[0] === REFUSALS ? readRefusals(body) : null;
  const { values, unreadable } = openValues(refused?.rest ?? body, count);
  if (refused === null && unreadable.size === 0) return { values, failures: NONE };
  const failures = new Map<number, InputFailure>();
  for (const [position, reason] of unreadable) {
    failures.set(position, { code: "BURLA_INPUT", message: `inputs[${first + position}] cannot be read on the worker: ${reason}` });
  }
  for (const [position, code, message] of refused?.list ?? []) failures.set(position, { code, message });
  return { values, failures };
}

const NONE: ReadonlyMap<number, InputFailure> = new Map();

/** Where they cannot be read, what lies behind is no values either. */
function readRefusals(body: Uint8Array): { list: v.InferOutput<typeof refusalsSchema>; rest: Uint8Array } | null {
  try {
    const end = HEAD_BYTES + new DataView(body.buffer, body.byteOffset).getUint32(1, true);
    return { list: v.parse(refusalsSchema, unpack(body.subarray(HEAD_BYTES, end))), rest: body.subarray(end) };
  } catch {
    return null;
  }
}
