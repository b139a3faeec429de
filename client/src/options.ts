/** Raw options -> complete values with units in their names, or a TypeError that names the culprit. */
import { types } from "node:util";
import * as v from "valibot";
import { imageNameSchema, MAX_VARIABLE_CHARACTERS } from "@burla/protocol";
import { CLUSTER_TEXT, isClusterName, isClusterUrl } from "./cluster-name.ts";
import type { AttachOptions, ClusterAddress, LogLine, MapOptions, Progress } from "./types.ts";

export interface CompiledOptions {
  readonly image: string | null;
  readonly cpu: number;
  readonly ramMiB: number | null;
  readonly grow: number;
  readonly maxParallelism: number | null;
  readonly concurrency: number;
  readonly order: "completion" | "input";
  /** Infinity for no limit. */
  readonly lookahead: number;
  readonly onError: "throw" | "continue";
  readonly retries: number;
  readonly timeoutMs: number | null;
  readonly setup: MapOptions["setup"];
  /** Null without `setup`. */
  readonly setupTimeoutMs: number | null;
  readonly signal: AbortSignal | undefined;
  readonly detach: boolean;
  readonly name: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onLog: ((line: LogLine) => void) | undefined;
  readonly progress: boolean | ((progress: Progress) => void);
  readonly cluster: string | ClusterAddress | undefined;
}

const MIB_PER_GIB = 1024;
const MAX_CONCURRENCY = 100_000;
const MAX_SHOWN_LENGTH = 60;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Models take minutes; one that hangs must not hang the job for ever. */
export const SETUP_TIMEOUT_MS = 10 * 60_000;

const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(`must be a whole number of at least ${min}`), v.integer(`must be a whole number of at least ${min}`), v.minValue(min, `must be at least ${min}`), v.maxValue(max, `must be at most ${max}`));
const milliseconds = v.pipe(
  v.number("must be a number of milliseconds of at least 1"), v.minValue(1, "must be a number of milliseconds of at least 1"), v.maxValue(MAX_TIMEOUT_MS, `must be at most ${MAX_TIMEOUT_MS}`),
);
/** Where Infinity means that there is no limit. */
const orNoLimit = <Schema extends v.GenericSchema<number, number>>(schema: Schema) => v.lazy((given) => (given === Infinity ? v.literal(Infinity) : schema));
/** Why an operating system would not take it as part of the environment; undefined when it does. */
function troubleOfVariable(name: string, value: unknown): string | undefined {
  if (!/^[^=\0]{1,256}$/.test(name)) return "must have a name of at most 256 characters, without `=`";
  if (value === undefined) return undefined;
  if (typeof value !== "string") return "must be text";
  if (value.includes("\0")) return "must not hold the character NUL";
  return value.length > MAX_VARIABLE_CHARACTERS ? `must have at most ${MAX_VARIABLE_CHARACTERS} characters` : undefined;
}

const callback = v.custom<(...parts: never[]) => void>((value) => typeof value === "function", "must be a function");
const clusterMessage = `must be ${CLUSTER_TEXT}, or { url, token }`;
const addressSchema = v.strictObject(
  { url: v.pipe(v.string(clusterMessage), v.check(isClusterUrl, clusterMessage)), token: v.pipe(v.string(clusterMessage), v.minLength(1, clusterMessage)), certificate: v.optional(v.string(clusterMessage)) },
  clusterMessage,
);
const imageMessage = "must be the name of an image, such as node:22-slim";
const ramMessage = 'must be a number of GiB above 0, or text such as "512 MiB" or "2 GiB"';

const readerFields = {
  order: v.optional(v.picklist(["completion", "input"], 'must be "completion" or "input"')),
  onError: v.optional(v.picklist(["throw", "continue"], 'must be "throw" or "continue"')),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
  onLog: v.optional(callback),
  progress: v.optional(v.union([v.boolean(), callback], "must be true, false or a function")),
  cluster: v.optional(
    v.union([v.pipe(v.string(clusterMessage), v.check((text) => isClusterName(text) || isClusterUrl(text), clusterMessage)), addressSchema], clusterMessage),
  ),
};

const mapSchema = v.strictObject({
  ...readerFields,
  image: v.optional(v.pipe(v.string(imageMessage), v.check((value) => v.is(imageNameSchema, value), imageMessage))),
  cpu: v.optional(v.pipe(v.number("must be a number above 0"), v.finite("must be a number above 0"), v.minValue(0.01, "must be at least 0.01"), v.maxValue(4096, "must be at most 4096"))),
  ram: v.optional(v.pipe(v.union([v.number(), v.string()], ramMessage), v.check((value) => ramToMiB(value) !== null, ramMessage))),
  grow: v.optional(wholeNumber(0, 1000)),
  maxParallelism: v.optional(orNoLimit(wholeNumber(1))),
  concurrency: v.optional(orNoLimit(wholeNumber(1, MAX_CONCURRENCY))),
  lookahead: v.optional(orNoLimit(wholeNumber(1))),
  retries: v.optional(wholeNumber(0, 1000)),
  timeoutMs: v.optional(orNoLimit(milliseconds)),
  setup: v.optional(callback),
  setupTimeoutMs: v.optional(orNoLimit(milliseconds)),
  detach: v.optional(v.boolean("must be true or false")),
  name: v.optional(v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"), v.maxLength(256, "must have at most 256 characters"))),
  env: v.optional(
    v.pipe(
      v.custom<object>((value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Map), "must be an object of texts"),
      // A record of the library would leave out names such as `constructor`.
      v.rawCheck(({ dataset, addIssue }) => {
        if (!dataset.typed) return;
        for (const [name, value] of Object.entries(dataset.value)) {
          const message = troubleOfVariable(name, value);
          if (message !== undefined) addIssue({ message, path: [{ type: "object", origin: "value", input: dataset.value as Record<string, unknown>, key: name, value }] });
        }
      }),
    ),
  ),
});

const attachSchema = v.strictObject({ ...readerFields, from: v.optional(wholeNumber(0)) });

/** @throws TypeError that names the option, what it may be, and what it is. */
export function compileOptions(options: MapOptions = {}): CompiledOptions {
  const raw = check(mapSchema, options, "remoteParallelMap") as MapOptions;
  if (raw.detach === true && raw.lookahead !== undefined && raw.lookahead !== Infinity) {
    throw new TypeError('remoteParallelMap: the option "lookahead" must not be given together with "detach": nobody may be reading the results');
  }
  return {
    image: raw.image ?? null,
    cpu: raw.cpu ?? 1,
    ramMiB: raw.ram === undefined ? null : ramToMiB(raw.ram),
    grow: raw.grow ?? 0,
    maxParallelism: finiteOrNull(raw.maxParallelism),
    concurrency: Math.min(raw.concurrency ?? 1, raw.maxParallelism ?? Infinity, MAX_CONCURRENCY),
    order: raw.order ?? "completion",
    lookahead: raw.lookahead ?? Infinity,
    onError: raw.onError ?? "throw",
    retries: raw.retries ?? 0,
    timeoutMs: finiteOrNull(raw.timeoutMs),
    setup: raw.setup,
    setupTimeoutMs: raw.setup === undefined ? null : finiteOrNull(raw.setupTimeoutMs ?? SETUP_TIMEOUT_MS),
    signal: raw.signal,
    detach: raw.detach ?? false,
    name: raw.name,
    env: raw.env ?? {},
    onLog: raw.onLog,
    progress: raw.progress ?? false,
    cluster: raw.cluster,
  };
}

function finiteOrNull(limit: number | undefined): number | null {
  return limit === undefined || limit === Infinity ? null : limit;
}

/** @throws TypeError as `compileOptions`. */
export function checkAttachOptions(options: AttachOptions = {}): AttachOptions {
  return check(attachSchema, options, "attach") as AttachOptions;
}

function check(schema: v.GenericSchema, options: unknown, caller: string): unknown {
  if (typeof options !== "object" || options === null || Array.isArray(options)) throw new TypeError(`${caller}: the options must be an object`);
  const defined = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const parsed = v.safeParse(schema, defined);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const option = v.getDotPath(issue) ?? "options";
  if (issue.type === "strict_object") {
    const known = Object.keys((schema as unknown as { entries: object }).entries).sort().join(", ");
    throw new TypeError(`${caller}: there is no option "${option}"; the options are ${known}`);
  }
  throw new TypeError(`${caller}: the option "${option}" ${issue.message}, not ${show(valueAt(options, option))}`);
}

function valueAt(options: object, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], options);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > MAX_SHOWN_LENGTH ? `${value.slice(0, MAX_SHOWN_LENGTH)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (types.isPromise(value)) return "a promise; await it first";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** GiB as a number, or a number with its unit, as whole MiB; null for anything else. */
export function ramToMiB(ram: number | string): number | null {
  if (typeof ram === "number") return Number.isFinite(ram) && ram > 0 ? Math.max(1, Math.round(ram * MIB_PER_GIB)) : null;
  const match = /^\s*(\d+(?:\.\d+)?)\s*(M|G|MB|GB|MiB|GiB)\s*$/i.exec(ram);
  const amount = Number(match?.[1]);
  if (match === null || !(amount > 0)) return null;
  return Math.max(1, Math.round(amount * (/^g/i.test(match[2] ?? "") ? MIB_PER_GIB : 1)));
}

/** Checks the two arguments that are not options. @throws TypeError */
export function checkArguments(fn: unknown, inputs: unknown): void {
  if (typeof fn !== "function") throw new TypeError(`remoteParallelMap: the first argument must be a function, not ${show(fn)}`);
  if (types.isGeneratorFunction(fn)) {
    throw new TypeError("remoteParallelMap: the function is a generator function, whose result cannot be sent; return an array instead of yielding");
  }
  if (/^class\b/.test(Function.prototype.toString.call(fn))) {
    throw new TypeError("remoteParallelMap: the function is a class, which cannot be called; pass (input) => new ThatClass(input).method()");
  }
  const iterable = inputs as { [Symbol.iterator]?: unknown; [Symbol.asyncIterator]?: unknown } | null | undefined;
  const isIterable = inputs != null && (typeof iterable?.[Symbol.iterator] === "function" || typeof iterable?.[Symbol.asyncIterator] === "function");
  if (!isIterable) throw new TypeError(`remoteParallelMap: the inputs must be iterable (an array, a generator, a stream), not ${show(inputs)}`);
}

