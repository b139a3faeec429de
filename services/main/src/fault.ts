/** Faults of main itself: they end what led to them, a connection or a job, and are kept for whoever mends them. */
export interface FaultLog {
  error(fields: object, text: string): void;
}

/** Of anything that was thrown. */
export function stackOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : String(thrown);
}

export function logFault(log: FaultLog, thrown: unknown): void {
  log.error({ stack: stackOf(thrown) }, "a fault of main, while it handled what a peer said");
}
