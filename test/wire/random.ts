/** Chance that can be repeated: everything random in a test comes from one printed seed. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
  bytes(length: number): Buffer;
}

/** Mulberry32, a well-known generator of 32 bits. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}

/** `BURLA_FUZZ_SEED` repeats one run, `BURLA_FUZZ_RUNS` makes it longer. */
export function fuzzPlan(defaultRuns: number): { seed: number; runs: number } {
  const { BURLA_FUZZ_SEED: seed, BURLA_FUZZ_RUNS: runs } = process.env;
  return { seed: seed === undefined ? Date.now() % 2 ** 31 : Number(seed), runs: runs === undefined ? defaultRuns : Number(runs) };
}
