/** Above the table: which run it is, how far it is, and what is shown of it. */
import type { ViewRun } from "../src/runs/view-messages.ts";
import { button, element, numberText, set } from "./dom.ts";
import { Groups } from "./groups.ts";
import { tell } from "./host.ts";

export interface Shown {
  readonly onlyFailed: boolean;
  readonly text: string;
  /** The group of errors that is shown alone. */
  readonly group: string | null;
}

const TYPING_MS = 150;

export class Header {
  readonly root: HTMLElement;
  readonly #runs = element("select", { "aria-label": "Run", class: "runs" });
  readonly #status = element("span", { class: "status" });
  /** Read out when a run begins or ends: its counts change too often to be read. */
  readonly #spoken = element("span", { class: "spoken", role: "status" });
  #spokenPhase = "";
  readonly #bar = element("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, element("div", {}));
  readonly #all = button("All", () => this.#choose(false), { class: "choice", "aria-pressed": "true" });
  readonly #failed = button("Failed", () => this.#choose(true), { class: "choice", "aria-pressed": "false" });
  readonly #text = element("input", { type: "search", placeholder: "Filter", "aria-label": "Filter inputs and results", maxlength: 1000 });
  readonly #cancel = button("Cancel", () => tell({ type: "command", name: "cancel" }), { class: "secondary" });
  readonly #runAll = button("Run All", () => tell({ type: "command", name: "runAgain" }));
  readonly #again = button("Run Failed Again", () => tell({ type: "command", name: "rerunFailed" }));
  readonly #groups = new Groups((group) => this.#change({ group }));
  readonly #problem = element("div", { class: "problem", role: "alert", hidden: true });
  readonly #question = element("div", { class: "question", role: "group", "aria-live": "polite", hidden: true });
  readonly #onChange: (shown: Shown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown: Shown;
  #errors: ViewRun["groups"] = [];

  constructor(shown: Shown, onChange: (shown: Shown) => void) {
    this.#shown = shown;
    this.#onChange = onChange;
    this.#text.value = shown.text;
    this.#mark();
    this.#runs.addEventListener("change", () => tell({ type: "choose", id: this.#runs.value }));
    this.#text.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#change({ text: this.#text.value }), TYPING_MS);
    });
    const choices = element("div", { class: "choices", role: "group", "aria-label": "Which results" }, this.#all, this.#failed);
    this.root = element(
      "header",
      { class: "top" },
      element("div", { class: "line" }, this.#runs, this.#status, this.#spoken, element("span", { class: "space" }), this.#runAll, this.#again, this.#cancel, element("div", { class: "tools" }, choices, this.#text)),
      this.#bar,
      this.#question,
      this.#problem,
      this.#groups.root,
    );
  }

  focusFilter(): void {
    this.#text.focus();
    this.#text.select();
  }

  update(run: ViewRun, runs: readonly { readonly id: string; readonly label: string }[]): void {
    this.#updateRuns(run, runs);
    const isRunning = run.phase === "preparing" || run.phase === "running";
    if (this.#status.textContent !== run.status) this.#status.textContent = run.status;
    if (`${run.id} ${run.phase}` !== this.#spokenPhase) this.#spoken.textContent = `${run.label}: ${run.status}`;
    this.#spokenPhase = `${run.id} ${run.phase}`;
    this.#status.className = `status ${run.phase}`;
    this.#all.textContent = `All ${numberText(run.settled)}`;
    this.#failed.textContent = `Failed ${numberText(run.failed)}`;
    this.#cancel.hidden = !isRunning;
    this.#runAll.hidden = isRunning || !run.isTrial;
    this.#again.hidden = isRunning || run.failed === 0;
    this.#errors = run.groups;
    this.#groups.update(run.groups, this.#shown.onlyFailed, this.#shown.group);
    this.#progress(run, isRunning);
    this.#showQuestion(run.question);
    this.#showProblem(run.problem);
  }

  /** All results, of any text: for another run than the one of which only some were looked at. */
  showAll(): void {
    if (!this.#shown.onlyFailed && this.#shown.text === "") return;
    this.#text.value = "";
    this.#change({ onlyFailed: false, text: "", group: null });
  }

  #showQuestion(question: ViewRun["question"]): void {
    this.#question.hidden = question === null;
    const text = question?.text ?? "";
    // Buttons that are made anew lose the focus.
    if (question === null || this.#question.dataset["text"] === text) return;
    this.#question.dataset["text"] = text;
    const answers = question.answers.map((answer, index) => button(answer, () => tell({ type: "answer", answer }), index === 0 ? {} : { class: "secondary" }));
    this.#question.replaceChildren(element("p", {}, text), element("div", { class: "answers" }, ...answers));
  }

  #showProblem(problem: ViewRun["problem"]): void {
    const shown = JSON.stringify(problem);
    this.#problem.hidden = problem === null;
    if (problem === null || this.#problem.dataset["shown"] === shown) return;
    this.#problem.dataset["shown"] = shown;
    const { place, message, cure } = problem;
    const link = place === null ? [] : [" ", button(`Line ${place.line}`, () => tell({ type: "openPlace", ...place }), { class: "link", title: place.file })];
    this.#problem.replaceChildren(element("strong", {}, message), " ", cure, ...link);
  }

  #progress({ settled, total }: ViewRun, isRunning: boolean): void {
    const percent = total === null || total === 0 ? null : Math.min(100, Math.floor((settled / total) * 100));
    this.#bar.classList.toggle("idle", !isRunning);
    this.#bar.classList.toggle("unknown", isRunning && percent === null);
    set(this.#bar, "aria-valuenow", percent ?? false);
    (this.#bar.firstElementChild as HTMLElement).style.width = `${percent ?? 0}%`;
  }

  #updateRuns(run: ViewRun, runs: readonly { readonly id: string; readonly label: string }[]): void {
    const texts = runs.map(({ id, label }) => `${id} ${label}`).join("\n");
    if (this.#runs.dataset["texts"] !== texts) {
      this.#runs.dataset["texts"] = texts;
      this.#runs.replaceChildren(...runs.map(({ id, label }) => element("option", { value: id }, label)));
    }
    this.#runs.value = run.id;
    // A narrow panel has no room for all of it.
    this.#runs.title = this.#runs.selectedOptions[0]?.textContent ?? "";
  }

  #choose(onlyFailed: boolean): void {
    this.#change({ onlyFailed, group: null });
  }

  #change(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
    this.#mark();
    this.#groups.update(this.#errors, this.#shown.onlyFailed, this.#shown.group);
    this.#onChange(this.#shown);
  }

  #mark(): void {
    set(this.#all, "aria-pressed", this.#shown.onlyFailed ? "false" : "true");
    set(this.#failed, "aria-pressed", this.#shown.onlyFailed ? "true" : "false");
  }
}
