/** The functions that are run on every JavaScript system. Python has the same ones in `../python/functions.py`. */

export interface SpinInput {
  readonly index: number;
  readonly iterations: number;
}

export interface SpinResult {
  readonly index: number;
  readonly pid: number;
}

/** Returns its input. */
export function noop(value: number): number {
  return value;
}

/** Pure computation: a fixed number of steps, so that a processor shared with others makes it slower. */
export function busy(iterations: number): number {
  let x = 1;
  for (let i = 0; i < iterations; i++) x = (Math.imul(x, 1_103_515_245) + 12_345) & 0x7fffffff;
  return x;
}

/** Computes for the given number of steps and tells which process did it. */
export function spin(input: SpinInput): SpinResult {
  const end = busy(input.iterations);
  return { index: end < 0 ? -1 : input.index, pid: process.pid };
}

/** Returns a value as large as its input. */
export function echo(value: Uint8Array): Uint8Array {
  value[0] = (value[0] ?? 0) ^ 1;
  return value;
}

/** Prints ten lines that the harness recognises. */
export function print(index: number): number {
  for (let line = 0; line < 10; line++) console.log(`bench-line ${index}/${line}`);
  return index;
}
