/** Words and numbers as they stand in the status bar, the trees and the messages. */
import type { ClusterStatus, JobSummary, NodeSummary } from "burla/control";
import { bytesText, countText, durationText } from "../../../client/src/cli/texts.ts";

export { bytesText, countText, durationText };

const BYTES_PER_MIB = 1024 * 1024;
const PERCENT = 100;

export function numberText(value: number): string {
  return value.toLocaleString("en-US");
}

export function memoryText(ramMiB: number): string {
  return bytesText(ramMiB * BYTES_PER_MIB);
}

/** 0 to 100; null while nobody knows how many inputs there will be. */
export function percentOf({ inputs, inputsEnded, done, failed }: JobSummary): number | null {
  if (!inputsEnded) return null;
  return inputs === 0 ? PERCENT : Math.floor(((done + failed) / inputs) * PERCENT);
}

/** Such as `42%`, or `420 done` while the number of inputs is not known. */
export function progressWord(job: JobSummary): string {
  const percent = percentOf(job);
  return percent === null ? `${numberText(job.done + job.failed)} done` : `${percent}%`;
}

/** Such as `420 of 1,000, 3 failed`. */
export function progressText({ inputs, inputsEnded, done, failed }: JobSummary): string {
  const settled = inputsEnded ? `${numberText(done + failed)} of ${numberText(inputs)}` : `${numberText(done + failed)} of ${numberText(inputs)} so far`;
  return failed > 0 ? `${settled}, ${numberText(failed)} failed` : settled;
}

/** The state of a job in words: `running 42%`, `done, 3 failed`. */
export function jobStateText(job: JobSummary): string {
  if (job.phase === "running") return `running ${progressWord(job)}`;
  return job.phase === "done" && job.failed > 0 ? `done, ${numberText(job.failed)} failed` : job.phase;
}

/** Such as `ready`: the words of `burla status`, in small letters. */
export function nodeStateText({ state }: NodeSummary): string {
  return state.toLowerCase();
}

/** Such as `1 of 2 cores in use`. */
export function coresText({ cpu, cpuInUse }: Pick<ClusterStatus, "cpu" | "cpuInUse">): string {
  return `${numberText(cpuInUse)} of ${countText(cpu, "core")} in use`;
}

/** Such as `14:32`, in the user's own way. */
export function clockText(timeMs: number): string {
  return new Date(timeMs).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** A text from elsewhere, so that Markdown shows it as it is. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, "\\$&").replace(/\s+/g, " ");
}
