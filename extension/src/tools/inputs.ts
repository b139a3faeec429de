/** What an assistant may ask for: it is checked like anything else that comes from outside. */
import * as v from "valibot";

export const MAX_LOG_LINES = 500;
/** More inputs than this belong into a file. */
export const MAX_INLINE_INPUTS = 1_000;

export const statusInput = v.object({});
export const logsInput = v.object({ jobId: v.optional(v.string()), maxLines: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_LOG_LINES))) });
export type LogsInput = v.InferOutput<typeof logsInput>;
export const runInput = v.pipe(
  v.object({
    file: v.pipe(v.string(), v.minLength(1)),
    functionName: v.pipe(v.string(), v.minLength(1)),
    inputs: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(MAX_INLINE_INPUTS, `give at most ${MAX_INLINE_INPUTS} inputs here; more go into a file (inputsFile)`))),
    inputsFile: v.optional(v.string()),
    inputsExpression: v.optional(v.string()),
  }),
  v.check(
    ({ inputs, inputsFile, inputsExpression }) => [inputs, inputsFile, inputsExpression].filter((given) => given !== undefined).length === 1,
    "give the inputs in exactly one way: inputs, inputsFile or inputsExpression",
  ),
);
export type RunInput = v.InferOutput<typeof runInput>;

/** @throws Error that says what is wrong, for the assistant to mend. */
export function parseInput<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(`${v.getDotPath(issue) ?? "the input"}: ${issue.message}`);
}
