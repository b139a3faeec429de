/** Errors of failed inputs as people read them. Envelopes are Burla's own; what the user threw beside an Error is not opened. */
import {
  decodeEnvelopes, indexAt, MAX_FAILURE_MESSAGE_LENGTH, MAX_FAILURE_STACK_LENGTH, messageOf, type ErrorEnvelope, type JobFailure, type ResultBatch,
} from "@burla/protocol";
import type { JobEntry } from "./job-entry.ts";

interface Log {
  error(fields: object, text: string): void;
}

/** Keeps the first failures of a job. Errors that are not what they should be are for the client to complain of. */
export function keepFailures({ jobId, failures }: Pick<JobEntry, "jobId" | "failures">, log: Log, read: () => JobFailure[]): void {
  if (failures.isFull) return;
  try {
    failures.append(read());
  } catch (error) {
    log.error({ jobId, error: messageOf(error) }, "the errors of a job cannot be read");
  }
}

/** Parts of a batch of results that matter here. */
type Batch = ResultBatch & { readonly failed: readonly number[]; readonly dropped: readonly number[]; readonly valuesBytes: number };

/** The failures of a batch that count: not those that were answered before, or are tried again. */
export function failuresIn(batch: Batch, body: Uint8Array): JobFailure[] {
  const dropped = new Set(batch.dropped);
  if (batch.failed.every((position) => dropped.has(position))) return [];
  const envelopes = decodeEnvelopes(body.subarray(batch.valuesBytes));
  return batch.failed.flatMap((position, at) => {
    const envelope = envelopes[at];
    return dropped.has(position) || envelope === undefined ? [] : [failureOf(indexAt(batch, position), envelope)];
  });
}

/** @param index -1 for an error that is the whole job's. */
export function failureOf(index: number, envelope: ErrorEnvelope): JobFailure {
  switch (envelope.kind) {
    case "error":
    case "python":
      return {
        index, name: clip(envelope.name, MAX_FAILURE_MESSAGE_LENGTH), message: clip(envelope.message, MAX_FAILURE_MESSAGE_LENGTH),
        stack: clip(envelope.stack, MAX_FAILURE_STACK_LENGTH),
      };
    case "burla":
      return { index, name: envelope.code, message: clip(envelope.message, MAX_FAILURE_MESSAGE_LENGTH), stack: "" };
    case "value":
      return { index, name: "Error", message: "the function threw something that is no Error", stack: "" };
  }
}

/** The error that is a whole job's, with the stack of its cause where it has none of its own. */
export function failureOfJob([error, cause]: readonly ErrorEnvelope[]): JobFailure[] {
  if (error === undefined) return [];
  const failure = failureOf(-1, error);
  return [failure.stack !== "" || cause === undefined ? failure : { ...failure, stack: failureOf(-1, cause).stack }];
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
