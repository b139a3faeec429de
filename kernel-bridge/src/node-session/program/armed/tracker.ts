/** The one who shows how a job is: gathers what happens, and shows it some times a second. */
import { inspect } from "node:util";
import type { LogLine, Progress } from "burla";
import { viewBundle } from "../../../cell-view-text.ts";
import { CellViewWriter, type ViewFailure, type ViewHead } from "../../../cell-view-writer.ts";
import type { CellMaps } from "../cells/cell-maps.ts";
import { textOf } from "../errors.ts";
import type { Reporter } from "../reporter.ts";
import type { CellSteps, JobCounts } from "./steps.ts";
import { thumbnailOf } from "./thumbnail.ts";

/** At most ten times a second. */
const REDRAW_MS = 100;
const SAMPLE_OPTIONS = { depth: 2, maxArrayLength: 8, maxStringLength: 200, breakLength: Infinity, compact: true } as const;

export interface TrackerOptions {
  readonly head: Omit<ViewHead, "startedAtMs">;
  readonly reporter: Reporter;
  readonly maps: CellMaps;
  /** The cell that runs: failures in it have a line. */
  readonly label: string;
  /** The index that an input of the job has in the map. */
  readonly indexOf: (index: number) => number;
  /** The statements of the cell, of which this job is that of a line. */
  readonly steps: CellSteps;
  readonly line: number;
  /** Where it is shown, and whether an earlier job was shown there. */
  readonly displayId: string;
  readonly isShown: boolean;
}

export class JobTracker {
  readonly #options: TrackerOptions;
  readonly #writer: CellViewWriter;
  #endedAtMs: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#writer = new CellViewWriter({ ...options.head, startedAtMs: Date.now() });
    options.steps.begin(options.line, () => this.#counts);
    options.reporter.say({ type: options.isShown ? "displayUpdate" : "display", data: this.#bundle(), metadata: {}, displayId: options.displayId });
  }

  get #counts(): JobCounts {
    return this.#writer.document(this.#endedAtMs ?? Date.now());
  }

  progress({ jobId, phase, reason, nodes, workers, running, total }: Progress): void {
    this.#writer.apply({ type: "progress", jobId, phase, reason, nodes, workers, running, total, settled: null });
    this.#soon();
  }

  line({ index, stream, text }: LogLine): void {
    this.#writer.apply({ type: "line", index: index < 0 ? -1 : this.#options.indexOf(index), stream: stream === "stdout" ? 1 : 2, text });
    this.#soon();
  }

  /** @param index as the map counts. */
  result(index: number, value: unknown): void {
    this.#writer.apply(this.#writer.wantsSample ? { type: "result", index, text: inspect(value, SAMPLE_OPTIONS), picture: thumbnailOf(value) } : { type: "counted" });
    this.#soon();
  }

  failure(index: number, reason: unknown): void {
    this.#writer.apply({ type: "failure", failure: this.#writer.wantsFailure ? this.#failureOf(index, reason) : { index, name: "", message: "", line: null, source: null, traceback: "" } });
    this.#soon();
  }

  /** The first end is the one that is shown. */
  end(phase: "done" | "failed" | "cancelled" | "interrupted", reason = ""): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endedAtMs = Date.now();
    this.#writer.apply({ type: "ended", phase, reason });
    this.#draw();
  }

  #failureOf(index: number, reason: unknown): ViewFailure {
    const { maps, label } = this.#options;
    if (!(reason instanceof Error)) return { index, name: "Thrown", message: inspect(reason), line: null, source: null, traceback: inspect(reason) };
    const place = maps.placeOf(reason.stack ?? "");
    return {
      index,
      name: reason.name,
      message: reason.message,
      line: place?.label === label ? place.line : null,
      source: place === undefined ? null : maps.lineAt(place),
      traceback: textOf(reason, maps),
    };
  }

  #soon(): void {
    if (this.#isOver) return;
    this.#timer ??= setTimeout(() => this.#draw(), REDRAW_MS);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#options.reporter.say({ type: "displayUpdate", data: this.#bundle(), metadata: {}, displayId: this.#options.displayId });
  }

  #bundle() {
    return viewBundle({ ...this.#writer.document(Date.now()), ...this.#options.steps.document });
  }
}
