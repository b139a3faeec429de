/** Waiting for something outside of this process, of which there is no event. */
const POLL_MS = 20;
/** Far above what anything takes on a slow machine: only a hang is meant to be caught. */
const PATIENCE_MS = 30_000;

/** Resolves with the first truthy value. @throws Error that names what was waited for. */
export async function until<Value>(what: string, look: () => Value | Promise<Value>, patienceMs = PATIENCE_MS): Promise<NonNullable<Value>> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (performance.now() > deadlineMs) throw new Error(`waited ${patienceMs} ms in vain until ${what}`);
    await pause(POLL_MS);
  }
}

/** For what must not happen within a time, and for rates. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Fails with a name instead of hanging the run. */
export async function within<Value>(ms: number, what: string, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
