/**
 * A chunk as one node has it: which of its inputs wait, which are granted, which are answered. Pure: no clock, no store.
 *
 * In the store a chunk is one document with the inputs that are still open, its owner, and the time until which they are
 * the owner's. Whoever writes it names the version that it has read, so of two nodes one is refused; results are created
 * in the same commit that takes their inputs from the document. So an input has one result, whatever happens when.
 */
import { indexAt, MAX_WORKER_LOSSES, type AnsweredBatch } from "@burla/protocol";

/** Inputs `from` (inclusive) to `to` (exclusive) of a chunk that share their history. */
export interface Range {
  readonly from: number;
  readonly to: number;
  /** The attempt that the next grant will be, from 1. */
  readonly attempt: number;
  /** Workers that ended while this range, of one input, was theirs; a lost node counts as a part of one. */
  readonly losses: number;
  /** Errors of the user's function so far. */
  readonly failures: number;
}

interface Grant {
  readonly range: Range;
  /** Positions of the range that are somewhere else by now. */
  readonly closed: Set<number>;
}

export interface HeldChunk {
  readonly chunkId: number;
  /** Index of its first input. */
  readonly first: number;
  readonly count: number;
  readonly ready: Range[];
  /** Waiting out the pause before a retry. */
  readonly delayed: Set<Range>;
  readonly grants: Map<number, Grant>;
  readonly answered: Uint8Array;
}

/** A lost range is cut into so many pieces, until the input that ends workers stands alone. */
const PIECES_AFTER_LOSS = 8;
/** A node is seldom lost through the one input that it held: mostly the machine was taken away. */
export const NODE_LOSS = MAX_WORKER_LOSSES / 12;

export function wholeChunk(count: number): Range[] {
  return [{ from: 0, to: count, attempt: 1, losses: 0, failures: 0 }];
}

export function holdChunk({ chunkId, first, count }: Pick<HeldChunk, "chunkId" | "first" | "count">, open: readonly Range[]): HeldChunk {
  return { chunkId, first, count, ready: [...open], delayed: new Set(), grants: new Map(), answered: new Uint8Array(count) };
}

export const sizeOf = (ranges: Iterable<Range>): number => {
  let inputs = 0;
  for (const { from, to } of ranges) inputs += to - from;
  return inputs;
};

/** What was open when its node was lost, for the next one; and the inputs that have been tried often enough. */
export function takeOver(open: readonly Range[]): { open: Range[]; givenUp: Range[] } {
  const tried = open.map((range) => (range.to - range.from === 1 ? { ...range, attempt: range.attempt + 1, losses: range.losses + NODE_LOSS } : { ...range, attempt: range.attempt + 1 }));
  return { open: tried.filter(({ losses }) => losses < MAX_WORKER_LOSSES), givenUp: tried.filter(({ losses }) => losses >= MAX_WORKER_LOSSES) };
}

/** Takes up to `inputs` of what waits, and grants it. */
export function grantFrom(chunk: HeldChunk, grantId: number, inputs: number): Range | undefined {
  const next = chunk.ready.shift();
  if (next === undefined) return undefined;
  const range = { ...next, to: Math.min(next.to, next.from + inputs) };
  if (range.to < next.to) chunk.ready.unshift({ ...next, from: range.to });
  chunk.grants.set(grantId, { range, closed: new Set() });
  return range;
}

export interface Acceptance {
  /** Positions of the batch to pass over. */
  readonly dropped: number[];
  /** Are to be tried again, after a pause. */
  readonly retried: Range[];
  readonly answered: number;
  /** Of those. */
  readonly failed: number;
}

/** Marks what a batch answers. Failed calls that may be tried again wait, until `resume` ends their pause. */
export function accept(chunk: HeldChunk, grantId: number, batch: AnsweredBatch, retries: number): Acceptance {
  const grant = chunk.grants.get(grantId);
  const failures = new Set(batch.failed);
  const final = new Set(batch.final);
  const dropped: number[] = [];
  const retried: Range[] = [];
  let failed = 0;
  for (let at = 0; at < batch.count; at++) {
    const position = indexAt(batch, at) - chunk.first;
    if (grant === undefined || !isOpen(chunk, grant, position)) dropped.push(at);
    else if (failures.has(at) && !final.has(at) && grant.range.failures < retries) {
      grant.closed.add(position);
      dropped.push(at);
      retried.push({ ...grant.range, from: position, to: position + 1, attempt: grant.range.attempt + 1, failures: grant.range.failures + 1 });
    } else {
      chunk.answered[position] = 1;
      if (failures.has(at)) failed++;
    }
  }
  for (const range of retried) chunk.delayed.add(range);
  dropIfOver(chunk, grantId);
  return { dropped, retried, answered: batch.count - dropped.length, failed };
}

/** The pause before a retry is over. */
export function resume(chunk: HeldChunk, range: Range): void {
  if (chunk.delayed.delete(range)) chunk.ready.push(range);
}

/** A part of a grant was not begun. */
export function release(chunk: HeldChunk, grantId: number, positions: readonly number[]): void {
  const grant = chunk.grants.get(grantId);
  if (grant === undefined) return;
  const open = positions.filter((position) => isOpen(chunk, grant, position));
  for (const position of open) grant.closed.add(position);
  chunk.ready.unshift(...runsOf(open).map((run) => ({ ...grant.range, ...run })));
  dropIfOver(chunk, grantId);
}

/** A grant is over without blame: what is open of it waits again. */
export function returnGrant(chunk: HeldChunk, grantId: number): void {
  const grant = chunk.grants.get(grantId);
  if (grant === undefined) return;
  chunk.grants.delete(grantId);
  chunk.ready.unshift(...runsOf(openOf(chunk, grant)).map((run) => ({ ...grant.range, ...run, attempt: grant.range.attempt + 1 })));
}

/**
 * Its worker ended over a grant: what is open is tried again in smaller company. One alone is to blame.
 * @returns the range of the one input that has ended too many workers, and is answered now.
 */
export function loseGrant(chunk: HeldChunk, grantId: number): Range | null {
  const grant = chunk.grants.get(grantId);
  if (grant === undefined) return null;
  const open = openOf(chunk, grant);
  chunk.grants.delete(grantId);
  const [position] = open;
  const tried = { ...grant.range, attempt: grant.range.attempt + 1 };
  if (open.length !== 1 || position === undefined) {
    chunk.ready.unshift(...pieces(open).map((piece) => ({ ...tried, ...piece })));
    return null;
  }
  const one = { ...tried, from: position, to: position + 1, losses: grant.range.losses + 1 };
  if (one.losses < MAX_WORKER_LOSSES) {
    chunk.ready.unshift(one);
    return null;
  }
  chunk.answered[position] = 1;
  return one;
}

/** All that is not answered, with its history, as the store keeps it. */
export function openRanges(chunk: HeldChunk): Range[] {
  const granted = [...chunk.grants.values()].flatMap((grant) => runsOf(openOf(chunk, grant)).map((run) => ({ ...grant.range, ...run })));
  return [...chunk.ready, ...chunk.delayed, ...granted].sort((a, b) => a.from - b.from);
}

/** Inputs that workers have. */
export function outstandingOf(chunk: HeldChunk): number {
  let inputs = 0;
  for (const grant of chunk.grants.values()) inputs += openOf(chunk, grant).length;
  return inputs;
}

/** Takes all that waits out of the chunk, in at most `parts` parts of about the same size. */
export function shareOut(chunk: HeldChunk, parts: number): Range[][] {
  const waiting = chunk.ready.splice(0);
  const size = Math.max(1, Math.ceil(sizeOf(waiting) / parts));
  const shares: Range[][] = [];
  let room = 0;
  for (const range of waiting) {
    for (let { from } = range; from < range.to; ) {
      if (room === 0) {
        shares.push([]);
        room = size;
      }
      const to = Math.min(range.to, from + room);
      shares.at(-1)?.push({ ...range, from, to });
      room -= to - from;
      from = to;
    }
  }
  return shares;
}

function isOpen(chunk: HeldChunk, { range, closed }: Grant, position: number): boolean {
  return position >= range.from && position < range.to && !closed.has(position) && chunk.answered[position] === 0;
}

function openOf(chunk: HeldChunk, grant: Grant): number[] {
  const open: number[] = [];
  for (let position = grant.range.from; position < grant.range.to; position++) if (isOpen(chunk, grant, position)) open.push(position);
  return open;
}

function dropIfOver(chunk: HeldChunk, grantId: number): void {
  const grant = chunk.grants.get(grantId);
  if (grant !== undefined && openOf(chunk, grant).length === 0) chunk.grants.delete(grantId);
}

/** Cuts positions (ascending) into the longest runs. */
function runsOf(positions: readonly number[]): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (const position of positions) {
    const last = runs.at(-1);
    if (last?.to === position) last.to++;
    else runs.push({ from: position, to: position + 1 });
  }
  return runs;
}

function pieces(open: readonly number[]): { from: number; to: number }[] {
  const size = Math.max(1, Math.ceil(open.length / PIECES_AFTER_LOSS));
  return runsOf(open).flatMap((run) => {
    const cuts: { from: number; to: number }[] = [];
    for (let from = run.from; from < run.to; from += size) cuts.push({ from, to: Math.min(run.to, from + size) });
    return cuts;
  });
}
