/** The log of a job: in an output channel of its own as it comes, capped, or whole in an editor. */
import * as vscode from "vscode";
import type { JobLogLine, JobSummary } from "burla/control";
import type { LoadControl } from "../clusters/control.ts";
import type { Target } from "../clusters/watchers.ts";
import { report } from "../failure.ts";
import { maxLogLines } from "../settings.ts";
import { numberText } from "../view/texts.ts";
import { writeFullLog } from "./full-log.ts";
import { lineText, LogWindow, type Batch } from "./log-lines.ts";

/** Lines are shown in batches, so that the editor is not busy with each one. */
const FLUSH_MS = 100;
/** Channels of jobs that are kept; the oldest one goes. */
const MAX_CHANNELS = 10;

/** A job, and where it runs. */
export interface JobPlace {
  readonly job: Pick<JobSummary, "jobId" | "name">;
  readonly target: Target;
}

interface OpenLog {
  readonly channel: vscode.LogOutputChannel;
  readonly abort: AbortController;
}

export interface JobLogsOptions {
  readonly output: vscode.LogOutputChannel;
  readonly loadControl: LoadControl;
  /** Holds the files of full logs. */
  readonly folder: vscode.Uri;
}

export class JobLogs implements vscode.Disposable {
  readonly #options: JobLogsOptions;
  readonly #open = new Map<string, OpenLog>();

  constructor(options: JobLogsOptions) {
    this.#options = options;
  }

  /** Shows the log in the panel; it goes on with the job. */
  show(place: JobPlace): void {
    this.#channelOf(place).show(true);
  }

  /** Has the log in the panel's list, for whoever looks there. */
  follow(place: JobPlace): void {
    this.#channelOf(place);
  }

  #channelOf(place: JobPlace): vscode.LogOutputChannel {
    const { jobId } = place.job;
    const known = this.#open.get(jobId);
    if (known !== undefined) return known.channel;
    const log = { channel: vscode.window.createOutputChannel(channelName(place.job), { log: true }), abort: new AbortController() };
    this.#open.set(jobId, log);
    this.#closeOldest();
    void this.#follow(place, log).catch((error: unknown) => {
      this.#open.delete(jobId);
      if (!log.abort.signal.aborted) report(this.#options.output, `The log of ${place.job.name}`, error);
    });
    return log.channel;
  }

  /** Opens all that the cluster has kept, as a file that the editor need not hold in memory. */
  async openFull(place: JobPlace): Promise<void> {
    const options = { location: vscode.ProgressLocation.Notification, title: `Reading the log of ${place.job.name}`, cancellable: true };
    const file = await vscode.window.withProgress(options, async (progress, cancellation) => {
      const abort = new AbortController();
      cancellation.onCancellationRequested(() => abort.abort());
      const { jobLogs } = await this.#options.loadControl();
      const lines = jobLogs(place.job.jobId, { cluster: place.target, signal: abort.signal });
      const written = await writeFullLog(this.#options.folder, place.job, lines, (count) => progress.report({ message: `${numberText(count)} lines` }));
      return abort.signal.aborted ? null : written;
    });
    if (file !== null) await vscode.window.showTextDocument(file, { preview: true });
  }

  dispose(): void {
    for (const jobId of [...this.#open.keys()]) this.#close(jobId);
  }

  async #follow({ job, target }: JobPlace, { channel, abort }: OpenLog): Promise<void> {
    const window = new LogWindow(maxLogLines());
    const flush = () => write(channel, window.take());
    const timer = setInterval(flush, FLUSH_MS);
    try {
      const { jobLogs } = await this.#options.loadControl();
      channel.info(`${job.name} (${job.jobId})`);
      let count = 0;
      for await (const line of jobLogs(job.jobId, { cluster: target, follow: true, signal: abort.signal })) {
        window.add(line);
        count++;
      }
      flush();
      if (!abort.signal.aborted) channel.info(count === 0 ? "The job has ended and printed nothing." : "The job has ended.");
    } finally {
      clearInterval(timer);
    }
  }

  #closeOldest(): void {
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_CHANNELS && oldest !== undefined) this.#close(oldest);
  }

  #close(jobId: string): void {
    const log = this.#open.get(jobId);
    this.#open.delete(jobId);
    log?.abort.abort();
    log?.channel.dispose();
  }
}

/** What the calls write on stderr is shown as a warning: it need not be an error. */
function write(channel: vscode.LogOutputChannel, batch: Batch | null): void {
  if (batch === null) return;
  if (batch.clear) channel.clear();
  if (batch.leftOut > 0) channel.info(`… ${numberText(batch.leftOut)} earlier lines are not shown here: the command "Burla: Open Full Log" has them`);
  for (const line of batch.lines) writeLine(channel, line);
}

function writeLine(channel: vscode.LogOutputChannel, line: JobLogLine): void {
  if (line.stream === "stderr") channel.warn(lineText(line));
  else channel.info(lineText(line));
}

/** The end of the id tells runs of one function apart. */
function channelName({ name, jobId }: JobPlace["job"]): string {
  return `Burla: ${name} (${jobId.slice(-6)})`;
}
