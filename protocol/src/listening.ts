/**
 * Time in which this process could hear. While it computes without a pause, is stopped, or its machine sleeps, its timers
 * are late and what others have said lies unread: that time must not be held against them.
 */

/** So many times on the way to a deadline, what has come is read; a stretch without that counts for one part of it. */
const PARTS = 4;

export interface Deadline {
  stop(): void;
}

/** As a timeout, of time in which this process could hear. */
export function afterListening(ms: number, act: () => void): Deadline {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer = setTimeout(() => (left > 1 ? wait(left - 1) : act()), Math.ceil(ms / PARTS));
  };
  wait(PARTS);
  return { stop: () => clearTimeout(timer) };
}
