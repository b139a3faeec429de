/** Inputs without an end: pulled only as the cluster needs them, cancelled as soon as the loop is left. */
import { setTimeout as sleep } from "node:timers/promises";
import { remoteParallelMap } from "burla";

/** Odd numbers for ever, as pages of a slow source would come. */
async function* candidates(from: number): AsyncGenerator<number> {
  for (let page = 0; ; page++) {
    await sleep(5);
    for (let i = 0; i < 100; i++) yield from + 2 * (100 * page + i);
  }
}

function isPrime(candidate: number): { candidate: number; prime: boolean } {
  for (let divisor = 3; divisor * divisor <= candidate; divisor += 2) {
    if (candidate % divisor === 0) return { candidate, prime: false };
  }
  return { candidate, prime: true };
}

const found: number[] = [];
for await (const { candidate, prime } of remoteParallelMap(isPrime, candidates(1_000_000_000_001), { order: "input" })) {
  if (prime) found.push(candidate);
  if (found.length === 10) break; // cancels the job on the cluster and ends the generator of inputs
}
console.log(`The first ten primes above a million million: ${found.join(", ")}`);
