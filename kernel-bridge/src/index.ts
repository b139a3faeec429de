/** Live kernels behind one interface, and what runs their cells on a cluster. */
export type { ArmedRun, ExecuteOptions, ExecutionOutcome, KernelEvent, KernelStatus, Language, LiveKernel, MimeBundle } from "./kernel.ts";
export {
  CELL_VIEW_MIME, cellViewSchema, MAX_VIEW_FAILURES, MAX_VIEW_LINES, MAX_VIEW_SAMPLES, type CellView,
} from "./cell-view.ts";
export { startNodeSession, type NodeSessionOptions } from "./node-session/session.ts";
