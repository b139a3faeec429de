/** What happens to a job -> the document that its cell shows. Pure: time is given. */
import { MAX_VIEW_FAILURES, MAX_VIEW_LINES, MAX_VIEW_SAMPLES, type CellView } from "./cell-view.ts";

export type ViewFailure = CellView["failures"][number];

export type ViewEvent =
  | {
      readonly type: "progress";
      readonly jobId: string;
      readonly phase: "waiting" | "running" | "interrupted";
      readonly reason: string;
      readonly nodes: number;
      readonly workers: number;
      readonly running: number;
      readonly total: number | null;
      /** Null when it is counted by results. */
      readonly settled: { readonly done: number; readonly failed: number } | null;
    }
  /** `index` is -1 outside of a call. */
  | { readonly type: "line"; readonly index: number; readonly stream: 1 | 2; readonly text: string }
  /** `picture`: a small one of it, as a `data:` address. */
  | { readonly type: "result"; readonly index: number; readonly text: string; readonly picture?: string | null }
  /** Of a result only the number counts. */
  | { readonly type: "counted" }
  | { readonly type: "failure"; readonly failure: ViewFailure }
  | { readonly type: "ended"; readonly phase: "done" | "failed" | "cancelled" | "interrupted"; readonly reason: string };

export interface ViewHead {
  readonly name: string;
  readonly cluster: string;
  readonly how: CellView["how"];
  /** Of a job that was begun before. */
  readonly jobId?: string;
  readonly startedAtMs: number;
  /** How many inputs there are, if that is known from the start. */
  readonly total: number | null;
}

export class CellViewWriter {
  readonly #head: ViewHead;
  readonly #lines: CellView["log"]["lines"] = [];
  readonly #samples: CellView["samples"] = [];
  readonly #failures: ViewFailure[] = [];
  /** Most that it had at once: towards its end a job gives them back one by one. */
  #most = { nodes: 0, workers: 0 };
  #state: Pick<CellView, "jobId" | "phase" | "reason" | "nodes" | "workers" | "running" | "total">;
  /** By input and stream, the line in whose place the next one comes. */
  readonly #updated = new Map<string, CellView["log"]["lines"][number]>();
  #lineCount = 0;
  #done = 0;
  #failed = 0;
  /** What the cluster has told, which may be ahead of the results that were read. */
  #told = { done: 0, failed: 0 };

  constructor(head: ViewHead) {
    this.#head = head;
    this.#state = { jobId: head.jobId ?? null, phase: "preparing", reason: "", nodes: 0, workers: 0, running: 0, total: head.total };
  }

  /** Whether a further result's text would be shown. */
  get wantsSample(): boolean {
    return this.#samples.length < MAX_VIEW_SAMPLES;
  }

  /** Whether a further failure would be shown. */
  get wantsFailure(): boolean {
    return this.#failures.length < MAX_VIEW_FAILURES;
  }

  apply(event: ViewEvent): void {
    switch (event.type) {
      case "progress":
        return this.#progress(event);
      case "line":
        return this.#line(event);
      case "result":
        this.#done++;
        if (this.wantsSample) this.#samples.push({ index: event.index, text: clip(event.text, 512), ...(event.picture == null ? {} : { picture: event.picture }) });
        return;
      case "counted":
        this.#done++;
        return;
      case "failure":
        this.#failed++;
        if (this.wantsFailure) this.#failures.push(clippedFailure(event.failure));
        return;
      case "ended":
        this.#told = { done: 0, failed: 0 };
        this.#state = { ...this.#state, ...this.#most, phase: event.phase, reason: clip(event.reason, 1024), running: 0 };
        return;
    }
  }

  document(nowMs: number): CellView {
    const { name, cluster, how, startedAtMs } = this.#head;
    return {
      version: 1,
      ...this.#state,
      name: clip(name, 256),
      cluster: clip(cluster, 256),
      how,
      done: Math.max(this.#done, this.#told.done),
      failed: Math.max(this.#failed, this.#told.failed),
      startedAtMs,
      elapsedMs: Math.max(0, nowMs - startedAtMs),
      log: { lines: this.#lines.slice(-MAX_VIEW_LINES), total: this.#lineCount, dropped: Math.max(0, this.#lineCount - MAX_VIEW_LINES) },
      samples: [...this.#samples].sort((a, b) => a.index - b.index),
      failures: [...this.#failures].sort((a, b) => a.index - b.index),
      // Those of the whole cell are another's to tell.
      step: 0, steps: [], note: "", noteLine: null,
    };
  }

  #progress({ jobId, phase, reason, nodes, workers, running, total, settled }: Extract<ViewEvent, { type: "progress" }>): void {
    this.#most = { nodes: Math.max(nodes, this.#most.nodes), workers: Math.max(workers, this.#most.workers) };
    const isEnding = phase === "running" && workers === 0;
    this.#state = { jobId, phase, running, reason: clip(reason, 1024), ...(isEnding ? this.#most : { nodes, workers }), total: total ?? this.#state.total };
    if (settled !== null) this.#told = settled;
  }

  #line({ index, stream, text }: Extract<ViewEvent, { type: "line" }>): void {
    const key = `${stream}:${index}`;
    const shown = text.endsWith("\r") ? text.slice(0, -1) : text;
    const line = this.#updated.get(key);
    this.#updated.delete(key);
    if (line === undefined) this.#lineCount++;
    else if (shown.trim() === "") return this.#removeLine(line);
    const current = line ?? ([index, stream, ""] satisfies CellView["log"]["lines"][number]);
    current[2] = clip(shown, 4096);
    if (shown !== text) this.#updated.set(key, current);
    if (line !== undefined) return;
    this.#lines.push(current);
    // Not one by one: a hundred thousand lines would move the list as often.
    if (this.#lines.length > 4 * MAX_VIEW_LINES) this.#lines.splice(0, this.#lines.length - MAX_VIEW_LINES);
  }

  /** A bar of progress that was erased at its end. */
  #removeLine(line: CellView["log"]["lines"][number]): void {
    const at = this.#lines.lastIndexOf(line);
    if (at < 0) return;
    this.#lines.splice(at, 1);
    this.#lineCount--;
  }
}

function clippedFailure({ name, message, source, traceback, ...rest }: ViewFailure): ViewFailure {
  return { ...rest, name: clip(name, 256), message: clip(message, 2048), source: source === null ? null : clip(source, 1024), traceback: clip(traceback, 16_384) };
}

function clip(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}
