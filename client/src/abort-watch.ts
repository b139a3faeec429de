/** Who wants to know that a signal of the user's aborts. One listener tells all of them: Node warns of more than ten. */

interface Watch {
  readonly tells: Set<() => void>;
  readonly listener: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/** @returns what ends it; after the last one nothing of ours is left at the signal. */
export function whenAborted(signal: AbortSignal, tell: () => void): () => void {
  const { tells, listener } = watches.get(signal) ?? begin(signal);
  tells.add(tell);
  return () => {
    if (!tells.delete(tell) || tells.size > 0) return;
    signal.removeEventListener("abort", listener);
    watches.delete(signal);
  };
}

function begin(signal: AbortSignal): Watch {
  const tells = new Set<() => void>();
  const watch: Watch = { tells, listener: () => [...tells].forEach((tell) => tell()) };
  signal.addEventListener("abort", watch.listener, { once: true });
  watches.set(signal, watch);
  return watch;
}
