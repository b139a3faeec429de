import { setTimeout as delay } from "node:timers/promises";
import { machineBusyMs } from "./processes.ts";

const WINDOW_MS = 500;
/** Busy time of all processors together below which the machine counts as idle, as a share of one processor. */
const IDLE_SHARE = 0.1;
const GIVE_UP_MS = 20_000;

/** Waits until the machine is idle. Returns false when something kept it busy all the time. */
export async function untilQuiet(): Promise<boolean> {
  for (const giveUp = performance.now() + GIVE_UP_MS; performance.now() < giveUp; ) {
    const [start, busy] = [performance.now(), machineBusyMs()];
    await delay(WINDOW_MS);
    if (machineBusyMs() - busy < IDLE_SHARE * (performance.now() - start)) return true;
  }
  return false;
}
