/** A job in a cell's output: how far it is, what failed, what it prints, a few results. Changed in place as it goes on. */
import type { CellView } from "@burla/kernel-bridge/cell-view";
import { button, element, numberText, set } from "../dom.ts";
import { Announcer } from "./announcer.ts";
import { FailureList } from "./failure-list.ts";
import { LogList } from "./log-list.ts";
import { Pace } from "./pace.ts";
import { countText, durationText, isLive, PHASES, placesText, rateText, shareDone, spokenText, stepText } from "./texts.ts";

export interface JobActions {
  /** Whether somebody listens: not in every place that shows notebooks. */
  readonly canAct: boolean;
  cancel(): void;
  pickUp(): void;
  rerunFailed(): void;
  openLog(): void;
  reveal(line: number): void;
  /** Puts the statement that is in the way into a cell of its own. */
  split(): void;
}

const LEFT = "What ran this cell is gone. The cluster goes on with its job, and keeps the results for a week.";

export class JobView {
  readonly root: HTMLElement;
  readonly #canAct: boolean;
  readonly #reveal: (line: number) => void;
  /** A file that was saved half way says for ever that its job runs. */
  #isRunning = true;
  #last: CellView | undefined;
  readonly #phase = element("span", { class: "phase" });
  readonly #name = element("span", { class: "name" });
  readonly #place = element("span", { class: "where" });
  readonly #cancel: HTMLButtonElement;
  readonly #pickUp: HTMLButtonElement;
  readonly #done = element("div", { class: "done" });
  readonly #failed = element("div", { class: "fails" });
  readonly #bar = element("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, this.#done, this.#failed);
  readonly #facts = element("div", { class: "facts" });
  readonly #reason = element("div", { class: "reason", hidden: true });
  readonly #split: HTMLButtonElement;
  readonly #note = element("div", { class: "note", hidden: true });
  readonly #steps = element("ol", { class: "steps", hidden: true, "aria-label": "Statements of the cell" });
  readonly #samples = element("section", { class: "samples", hidden: true });
  readonly #announcer = new Announcer();
  readonly #pace = new Pace();
  readonly #log: LogList;
  readonly #failures: FailureList;

  constructor(actions: JobActions) {
    this.#canAct = actions.canAct;
    this.#reveal = (line) => actions.reveal(line);
    this.#split = button("Split Cell", () => actions.split(), { class: "link", title: "Puts that line into a cell of its own: the rest can run in parallel" });
    this.#cancel = button("Cancel", () => {
      this.#cancel.disabled = true;
      this.#cancel.textContent = "Cancelling…";
      actions.cancel();
    }, { class: "secondary" });
    this.#pickUp = button("Go On with the Job", () => actions.pickUp());
    this.#log = new LogList(() => actions.openLog());
    this.#failures = new FailureList({ rerunFailed: () => actions.rerunFailed(), reveal: (line) => actions.reveal(line) });
    const head = element("div", { class: "line head" }, this.#phase, this.#name, this.#place, element("span", { class: "space" }), this.#pickUp, this.#cancel);
    this.root = element("article", { class: "job", "aria-label": "Job" }, head, this.#bar, this.#facts, this.#reason, this.#note, this.#steps, this.#failures.root, this.#log.root, this.#samples, this.#announcer.root);
  }

  /** Whether the cell runs, as the extension knows it. */
  setRunning(isRunning: boolean): void {
    this.#isRunning = isRunning;
    if (this.#last !== undefined) this.update(this.#last);
  }

  update(view: CellView): void {
    const live = isLive(view) && this.#isRunning;
    const isLeft = isLive(view) && !this.#isRunning;
    this.#last = view;
    this.#pace.add(view);
    this.root.dataset["phase"] = isLeft ? "left" : view.phase;
    this.#phase.textContent = isLeft ? "Left behind" : PHASES[view.phase];
    this.#name.textContent = view.name;
    this.#place.textContent = `on ${view.cluster}`;
    this.#cancel.hidden = !live || !this.#canAct;
    this.#pickUp.hidden = !isLeft || !this.#canAct || view.jobId === null;
    this.#showBar(view, live);
    this.#facts.replaceChildren(...this.#factsOf(view, live).map((fact) => element("span", { class: fact.endsWith(" failed") ? "fact bad" : "fact" }, fact)));
    const reason = isLeft ? LEFT : view.reason;
    this.#reason.hidden = reason === "";
    this.#reason.textContent = reason;
    this.#showNote(view, !isLive(view));
    this.#steps.hidden = view.steps.length === 0 || view.how === "call";
    this.#steps.replaceChildren(...view.steps.map((step) => this.#stepOf(step, view)));
    this.#failures.update(view, live, this.#canAct);
    this.#log.update(view.log, live);
    this.#showSamples(view);
    this.#announcer.say(view.phase, spokenText(view));
  }

  #showNote({ note, noteLine }: CellView, isOver: boolean): void {
    this.#note.hidden = note === "";
    const place = noteLine === null || !this.#canAct ? [] : [this.#lineButton(noteLine)];
    this.#note.replaceChildren(...place, element("span", {}, note), ...(noteLine === null || !this.#canAct || !isOver ? [] : [this.#split]));
  }

  #stepOf(step: CellView["steps"][number], view: CellView): HTMLElement {
    const place = this.#canAct ? this.#lineButton(step.line) : element("span", {}, `Line ${step.line}`);
    return element("li", { class: `step ${step.where}` }, place, element("code", {}, step.text), element("span", { class: "where" }, stepText(step, view)));
  }

  #lineButton(line: number): HTMLElement {
    return button(`Line ${line}`, () => this.#reveal(line), { class: "link" });
  }

  #showBar(view: CellView, live: boolean): void {
    const share = shareDone(view);
    const all = Math.max(1, view.total ?? view.done + view.failed);
    this.#bar.classList.toggle("unknown", live && (share === null || view.phase !== "running" || view.how === "call"));
    this.#done.style.width = `${(100 * view.done) / all}%`;
    this.#failed.style.width = `${(100 * view.failed) / all}%`;
    set(this.#bar, "aria-valuenow", share === null ? false : Math.floor(share * 100));
    set(this.#bar, "aria-valuetext", spokenText(view));
  }

  #factsOf(view: CellView, live: boolean): string[] {
    const share = shareDone(view);
    const rate = this.#pace.perSecond;
    const left = this.#pace.leftMs(view);
    const isMap = view.how === "map";
    return [
      live && isMap && share !== null ? `${Math.floor(share * 100)} %` : "",
      countText(view),
      view.failed > 0 && isMap ? `${numberText(view.failed)} failed` : "",
      live && view.running > 0 && isMap ? `${numberText(view.running)} running` : "",
      live && rate !== null && isMap ? rateText(rate) : "",
      live && left !== null && isMap && left > 0 ? `about ${durationText(left)} left` : "",
      live ? durationText(view.elapsedMs) : `in ${durationText(view.elapsedMs)}`,
      view.workers > 0 ? placesText(view) : "",
    ].filter((fact) => fact !== "");
  }

  #showSamples({ samples, how }: CellView): void {
    this.#samples.hidden = samples.length === 0 || how === "call";
    if (this.#samples.hidden) return;
    const rows = samples.map(({ index, text, picture }) => element("div", { class: "row" }, element("span", { class: "tag", title: `Input ${index}` }, String(index)), picture === undefined ? element("code", {}, text) : element("img", { class: "thumbnail", src: picture, alt: `Result of input ${index}: ${text}`, title: text })));
    this.#samples.replaceChildren(element("div", { class: "line" }, element("span", { class: "title" }, samples.length === 1 ? "One result" : `${samples.length} of the results`)), ...rows);
  }
}
