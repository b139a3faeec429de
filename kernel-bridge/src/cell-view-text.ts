/** The document of a cell -> what stands where no renderer draws it: in a saved notebook, and in other editors. */
import { CELL_VIEW_MIME, type CellView } from "./cell-view.ts";
import { escapeHtml } from "./html.ts";
import type { MimeBundle } from "./kernel.ts";

/** Log lines that the static forms repeat. */
const STATIC_LINES = 20;

/** All forms of the document. */
export function viewBundle(view: CellView): MimeBundle {
  return { [CELL_VIEW_MIME]: view, "text/html": viewHtml(view), "text/plain": viewText(view) };
}

const PHASES: Readonly<Record<CellView["phase"], string>> = {
  preparing: "is being prepared",
  waiting: "waits",
  running: "runs",
  done: "is done",
  failed: "has failed",
  cancelled: "was cancelled",
  interrupted: "was interrupted",
};

/** One line: what, where, how far. */
export function viewSummary(view: CellView): string {
  const { name, cluster, how, phase, total, done, failed, workers, elapsedMs } = view;
  const parts = [`${name} ${PHASES[phase]} on ${cluster}`];
  if (how === "map") parts.push(`${count(done + failed)}${total === null ? "" : ` of ${count(total)}`} inputs`);
  if (failed > 0 && how === "map") parts.push(`${count(failed)} failed`);
  if (phase === "running" && workers > 0) parts.push(`${count(workers)} worker${workers === 1 ? "" : "s"}`);
  parts.push(seconds(elapsedMs));
  return `${parts.join(", ")}${view.reason === "" ? "" : `: ${view.reason}`}`;
}

export function viewText(view: CellView): string {
  const lines = [viewSummary(view)];
  for (const { index, name, message, line, source } of view.failures) {
    lines.push(`${label(view, index)}${name}: ${message}`);
    if (source !== null) lines.push(`    ${line === null ? "" : `line ${line}: `}${source.trim()}`);
  }
  lines.push(...hiddenFailures(view));
  const shown = view.log.lines.slice(-STATIC_LINES);
  if (view.log.total > shown.length) lines.push(`… ${count(view.log.total - shown.length)} lines before`);
  for (const [index, , text] of shown) lines.push(`${label(view, index)}${text}`);
  return lines.join("\n");
}

export function viewHtml(view: CellView): string {
  const parts = [`<p><strong>${escapeHtml(viewSummary(view))}</strong></p>`];
  if (view.failures.length > 0) parts.push(`<ul>${view.failures.map((failure) => failureHtml(view, failure)).join("")}</ul>`);
  for (const line of hiddenFailures(view)) parts.push(`<p>${escapeHtml(line)}</p>`);
  const shown = view.log.lines.slice(-STATIC_LINES);
  if (shown.length > 0) {
    const lines = shown.map(([index, , text]) => escapeHtml(`${label(view, index)}${text}`)).join("\n");
    const before = view.log.total > shown.length ? `, the last ${shown.length} of ${count(view.log.total)}` : "";
    parts.push(`<details><summary>Output${before}</summary><pre>${lines}</pre></details>`);
  }
  return parts.join("\n");
}

function failureHtml(view: CellView, { index, name, message, line, source, traceback }: CellView["failures"][number]): string {
  const place = source === null ? "" : `<pre>${line === null ? "" : `${line}: `}${escapeHtml(source)}</pre>`;
  const trace = traceback === "" ? "" : `<details><summary>Traceback</summary><pre>${escapeHtml(traceback)}</pre></details>`;
  return `<li>${escapeHtml(`${label(view, index)}${name}: ${message}`)}${place}${trace}</li>`;
}

function hiddenFailures({ failed, failures }: CellView): string[] {
  return failed > failures.length && failures.length > 0 ? [`and ${count(failed - failures.length)} more`] : [];
}

/** Which input a line or failure belongs to; a cell that is one call has no need of it. */
function label({ how }: CellView, index: number): string {
  return index < 0 || how === "call" ? "" : `[${index}] `;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function seconds(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
