/** Checked by `tsc`, never run: types flow from the function and the inputs to the results without a cast. */
/* eslint-disable @typescript-eslint/no-unused-vars -- most names are here for their types alone */
import { attach, remoteParallelMap, type CallContext, type Entry, type MapOptions, type RemoteResults, type Settled, type SetupContext } from "./index.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Fails to compile where the types differ. */
function same<A, B>(_proof: Same<A, B>): void {}

interface Score {
  readonly id: number;
  readonly points: number;
}
const numbers = [1, 2, 3];

// A plain function, an async one, and one that gives a promise-like.
const plain = remoteParallelMap((n: number) => ({ id: n, points: n / 2 }), numbers);
same<typeof plain, RemoteResults<{ id: number; points: number }>>(true);
const awaited = remoteParallelMap(async (n: number) => String(n), numbers);
same<typeof awaited, RemoteResults<string>>(true);
const nested = remoteParallelMap((n: number): PromiseLike<Score> => Promise.resolve({ id: n, points: 1 }), numbers);
same<typeof nested, RemoteResults<Score>>(true);
const nothing = remoteParallelMap((_: number) => undefined, numbers);
same<typeof nothing, RemoteResults<undefined>>(true);
const union = remoteParallelMap((n: number) => (n > 1 ? n : "small"), numbers);
same<typeof union, RemoteResults<number | "small">>(true);

// The type of the input follows from the inputs, whatever they are.
remoteParallelMap((text) => same<typeof text, string>(true), ["a"]);
remoteParallelMap((text) => same<typeof text, string>(true), new Set(["a"]));
remoteParallelMap((pair) => same<typeof pair, [string, number]>(true), new Map([["a", 1]]));
remoteParallelMap((n) => same<typeof n, number>(true), (function* () { yield 1; })());
remoteParallelMap((n) => same<typeof n, number>(true), (async function* () { yield 1; })());
remoteParallelMap((letter) => same<typeof letter, string>(true), "letters");
remoteParallelMap((byte) => same<typeof byte, number>(true), new Uint8Array(3));
remoteParallelMap((n: number) => n, [Promise.resolve(1), 2]);
remoteParallelMap((n: number) => n, new Set([Promise.resolve(1)]));
remoteParallelMap((score: Score) => score.points, [] as readonly Score[]);

// The context.
remoteParallelMap((_, context) => {
  same<typeof context.index, number>(true);
  same<typeof context.attempt, number>(true);
  same<typeof context.signal, AbortSignal>(true);
  context.log("text", 1, {});
}, numbers);

// What `setup` gives is the context's `worker`, awaited.
remoteParallelMap((_, { worker }) => same<typeof worker, undefined>(true), numbers);
remoteParallelMap((_, { worker }) => same<typeof worker, { size: number }>(true), numbers, { setup: async () => ({ size: await Promise.resolve(1) }) });
remoteParallelMap((_, { worker }) => same<typeof worker, Map<string, number>>(true), numbers, { setup: () => new Map([["a", 1]]), onLog: (line) => void line.text, retries: 1 });
const connect = ({ log, signal }: SetupContext) => ({ log, signal });
remoteParallelMap((_, { worker }) => same<typeof worker, ReturnType<typeof connect>>(true), numbers, { setup: connect });
const lookUp = (key: string, { worker }: CallContext<Map<string, number>>) => worker.get(key);
remoteParallelMap(lookUp, ["a"], { setup: () => Promise.resolve(new Map([["a", 1]])) });
// @ts-expect-error the function wants another worker
remoteParallelMap(lookUp, ["a"], { setup: () => 5 });
const options: MapOptions = { retries: 1 };
remoteParallelMap((n: number, context: CallContext) => n + context.index, numbers, options);

// The views of the results.
async function views(): Promise<void> {
  for await (const value of awaited) same<typeof value, string>(true);
  const all = await awaited.toArray();
  same<typeof all, string[]>(true);
  for await (const entry of awaited.entries()) same<typeof entry, Entry<string>>(true);
  for await (const outcome of awaited.settled()) {
    same<typeof outcome, Settled<string>>(true);
    if (outcome.status === "fulfilled") same<typeof outcome.value, string>(true);
    else same<typeof outcome.reason, unknown>(true);
    // @ts-expect-error the value is there only when the status says so
    void outcome.value;
  }
  const next = await awaited.next();
  same<typeof next, IteratorResult<string, void>>(true);
  same<typeof awaited.jobId, string>(true);
  await awaited.cancel();
  await awaited.uploaded;
}
void views;

// Attaching: unknown unless the caller says.
same<ReturnType<typeof attach>, RemoteResults<unknown>>(true);
const attached = attach<Score>("job-01j9x3k5v7abcdefghj");
same<typeof attached, RemoteResults<Score>>(true);

// What does not fit is refused.
// @ts-expect-error the inputs are not what the function takes
remoteParallelMap((n: number) => n, ["a"]);
// @ts-expect-error a number cannot be iterated
remoteParallelMap((n: number) => n, 5);
// @ts-expect-error there is no such option
remoteParallelMap((n: number) => n, numbers, { paralellism: 2 });
// @ts-expect-error an option of another kind
remoteParallelMap((n: number) => n, numbers, { cpu: "2" });
// @ts-expect-error one of two words
remoteParallelMap((n: number) => n, numbers, { order: "random" });
// @ts-expect-error a detached job is attached to with options of its own
attach("job-01j9x3k5v7abcdefghj", { cpu: 1 });
