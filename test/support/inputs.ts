/** 0, 1, 2, ... */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** All that an iterable gives, and what it throws at its end. */
export async function drain<Value>(values: AsyncIterable<Value>): Promise<{ values: Value[]; error: unknown }> {
  const taken: Value[] = [];
  try {
    for await (const value of values) taken.push(value);
    return { values: taken, error: undefined };
  } catch (error) {
    return { values: taken, error };
  }
}

/** @throws AssertionError unless the results are those of `count` inputs, each once. */
export function assertEachOnce(results: readonly number[], count: number): void {
  const seen = new Set(results);
  const doubled = results.length - seen.size;
  const missing = numbers(count).filter((index) => !seen.has(index));
  if (doubled === 0 && missing.length === 0 && seen.size === count) return;
  throw new Error(`${results.length} results for ${count} inputs: ${doubled} doubled, ${missing.length} missing (${missing.slice(0, 5).join(", ")})`);
}
