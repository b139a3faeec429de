/** Notices that Google takes the VM back: half a minute before it is off, the metadata server says so. */
import { vmMetadata } from "./vm-metadata.ts";

const WAIT_S = 60;
/** Beyond the wait itself. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 1_000;

/** @returns stops watching. */
export function watchPreemption(onPreempted: () => void): () => void {
  const abort = new AbortController();
  void watch(abort.signal, onPreempted);
  return () => abort.abort();
}

/** One request that is answered when it changes, and again. The first is answered at once: it may have changed before. */
async function watch(signal: AbortSignal, onPreempted: () => void): Promise<void> {
  for (let waits = false; !signal.aborted; ) {
    try {
      const query = waits ? `?wait_for_change=true&timeout_sec=${WAIT_S}` : "";
      const said = await vmMetadata(`preempted${query}`, AbortSignal.any([signal, AbortSignal.timeout(WAIT_S * 1000 + PATIENCE_MS)]));
      if (said.trim() === "TRUE") return onPreempted();
      waits = true;
    } catch {
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      waits = false;
    }
  }
}
