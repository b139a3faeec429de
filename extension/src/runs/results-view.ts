/** The results view: a page in the panel that shows one run, kept up to date a few times a second. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import * as vscode from "vscode";
import { parseLine } from "../runner/spool-line.ts";
import type { Run } from "./run.ts";
import { BY_INPUT } from "./row-order.ts";
import { ALL_ROWS } from "./row-store.ts";
import type { Runs } from "./runs.ts";
import { readLine } from "./spool-file.ts";
import { viewToHost, type HostToView, type ViewToHost } from "./view-messages.ts";
import { detailOf, documentOf, viewRow, viewRun } from "./view-model.ts";

const UPDATE_MS = 150;

export interface ResultsActions {
  cancel(run: Run): unknown;
  /** To the question that the run waits on. */
  answer(run: Run, answer: string): unknown;
  rerunFailed(run: Run): unknown;
  runAgain(run: Run): unknown;
  save(run: Run): unknown;
  showLog(run: Run): unknown;
  /** Puts a test that fails as this input did on the clipboard. */
  copyTest(run: Run, index: number): unknown;
  openPlace(place: { readonly file: string; readonly line: number; readonly column: number }): unknown;
  openText(title: string, text: string, language: string): unknown;
}

export class ResultsView implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #runs: Runs;
  readonly #actions: ResultsActions;
  readonly #extensionUri: vscode.Uri;
  readonly #listeners: vscode.Disposable;
  #view: vscode.WebviewView | undefined;
  #look: Extract<ViewToHost, { type: "look" }> = { type: "look", filter: ALL_ROWS, from: 0, count: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(runs: Runs, actions: ResultsActions, extensionUri: vscode.Uri) {
    this.#runs = runs;
    this.#actions = actions;
    this.#extensionUri = extensionUri;
    this.#listeners = vscode.Disposable.from(
      runs.onDidChange(({ run }) => (run === runs.current ? this.#soon() : undefined)),
      runs.onDidSelect(() => this.#update()),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    const { webview } = view;
    webview.options = { enableScripts: true, localResourceRoots: [this.#uri("extension", "dist"), this.#uri("media")] };
    webview.html = page(webview.cspSource, webview.asWebviewUri(this.#uri("extension", "dist", "results.js")), webview.asWebviewUri(this.#uri("media", "results.css")));
    webview.onDidReceiveMessage((message: unknown) => {
      const parsed = v.safeParse(viewToHost, message);
      if (parsed.success) void this.#hear(parsed.output);
    });
    view.onDidDispose(() => (this.#view = undefined));
    view.onDidChangeVisibility(() => {
      if (view.visible) this.#send({ type: "shown" });
      this.#soon();
    });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listeners.dispose();
  }

  async #hear(message: ViewToHost): Promise<void> {
    const run = this.#runs.current;
    if (message.type === "ready") return this.#update();
    if (message.type === "look") {
      this.#look = message;
      return this.#sendRows();
    }
    if (message.type === "choose") {
      const chosen = this.#runs.find(message.id);
      return chosen === undefined ? undefined : this.#runs.select(chosen);
    }
    if (message.type === "openPlace") return void this.#actions.openPlace(message);
    if (run === undefined) return;
    if (message.type === "answer") return void this.#actions.answer(run, message.answer);
    if (message.type === "command") return void this.#actions[message.name](run);
    if (message.type === "copyTest") return void this.#actions.copyTest(run, message.index);
    if (message.type === "copyGroupTest") {
      const [first] = run.rows.shown({ ...ALL_ROWS, group: message.group, order: BY_INPUT });
      return first === undefined ? undefined : void this.#actions.copyTest(run, first);
    }
    const row = run.rows.get(message.index);
    if (row === undefined) return;
    if (message.type === "open" && row.place !== null) return void this.#actions.openPlace(row.place);
    return this.#showLine(run, message.index, message.type === "detail");
  }

  async #showLine(run: Run, index: number, inView: boolean): Promise<void> {
    const row = run.rows.get(index);
    if (row === undefined) return;
    try {
      const line = parseLine(await readLine(run.record.spool, row));
      if (line === null) throw new Error("the result cannot be read");
      if (inView) return this.#send({ type: "detail", detail: detailOf(line, row.input) });
      const { text, language } = documentOf(line);
      await this.#actions.openText(`${run.record.label}, input ${index}`, text, language);
    } catch (error) {
      this.#send({ type: "detailGone", index, message: error instanceof Error ? error.message : String(error) });
    }
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#update(), UPDATE_MS);
  }

  #update(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const run = this.#runs.current;
    if (this.#view !== undefined) this.#view.badge = run === undefined ? undefined : badgeOf(run);
    if (this.#view?.visible !== true) return;
    // A run of an earlier window is read from its file when it is first shown.
    if (run?.isOver === true) void run.load().catch(() => undefined);
    this.#send({
      type: "state",
      run: run === undefined ? null : viewRun({ record: run.record, progress: run.progress, question: run.question, rows: run.rows, nowMs: Date.now() }),
      runs: this.#runs.all.map(({ record }) => ({ id: record.id, label: `${record.label} · ${record.sourceLabel} · ${new Date(record.startedAt).toLocaleTimeString()}` })),
      version: run?.rows.version ?? 0,
    });
  }

  #sendRows(): void {
    const run = this.#runs.current;
    const { filter, from, count } = this.#look;
    const shown = run?.rows.shown(filter) ?? [];
    const rows = shown.slice(from, from + count).flatMap((index) => {
      const row = run?.rows.get(index);
      return row === undefined ? [] : [viewRow(row, run?.rows.columns ?? [])];
    });
    this.#send({ type: "rows", from, shown: shown.length, rows, version: run?.rows.version ?? 0 });
  }

  #send(message: HostToView): void {
    void this.#view?.webview.postMessage(message);
  }

  #uri(...parts: string[]): vscode.Uri {
    return vscode.Uri.joinPath(this.#extensionUri, ...parts);
  }
}

/** How far the run is, on the tab of the view: in percent, once it is known of how many. */
function badgeOf({ isOver, record, rows }: Run): vscode.ViewBadge | undefined {
  if (isOver || record.total === null || record.total === 0 || rows.count === 0) return undefined;
  const percent = Math.floor((100 * rows.count) / record.total);
  return { value: percent, tooltip: `${record.label}: ${percent} %` };
}

/** The page runs our one script, and loads nothing from anywhere else. */
function page(source: string, script: vscode.Uri, style: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${source}; font-src ${source}; script-src 'nonce-${nonce}';">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style.toString()}">
<title>Burla Results</title>
</head>
<body>
<script nonce="${nonce}" src="${script.toString()}"></script>
</body>
</html>`;
}
