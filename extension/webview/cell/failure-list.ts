/** The inputs that failed, each with the line of the cell that has thrown. */
import type { CellView } from "@burla/kernel-bridge/cell-view";
import { button, element, numberText } from "../dom.ts";

type Failure = CellView["failures"][number];

export interface FailureActions {
  rerunFailed(): void;
  reveal(line: number): void;
}

export class FailureList {
  readonly root: HTMLElement;
  readonly #actions: FailureActions;
  readonly #list = element("ul", { class: "failures" });
  readonly #title = element("span", { class: "title" });
  readonly #again: HTMLButtonElement;
  #shown = "";

  constructor(actions: FailureActions) {
    this.#actions = actions;
    this.#again = button("Run Failed Inputs Again", () => actions.rerunFailed());
    this.root = element("section", { class: "failed", hidden: true }, element("div", { class: "line" }, this.#title, this.#again), this.#list);
  }

  update({ failures, failed, how }: CellView, live: boolean, canAct: boolean): void {
    this.root.hidden = failures.length === 0;
    this.#again.hidden = live || !canAct || how === "call";
    const rest = failed - failures.length;
    this.#title.textContent = how === "call" ? "The cell has failed" : `${numberText(failed)} ${failed === 1 ? "input has" : "inputs have"} failed${rest > 0 ? `, the first ${failures.length} of them:` : ":"}`;
    const shown = failures.map(({ index }) => index).join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#list.replaceChildren(...failures.map((failure, at) => this.#item(failure, how, at === 0, canAct)));
  }

  #item(failure: Failure, how: CellView["how"], isFirst: boolean, canAct: boolean): HTMLElement {
    const { index, name, message, line, source, traceback } = failure;
    const what = element("summary", {}, ...(how === "call" ? [] : [element("span", { class: "tag" }, String(index))]), element("span", { class: "error" }, `${name}: ${message.split("\n")[0] ?? ""}`));
    const body = element("div", { class: "body" });
    if (line !== null) {
      const place = canAct ? button(`Line ${line}`, () => this.#actions.reveal(line), { class: "link" }) : element("span", {}, `Line ${line}`);
      body.append(element("div", { class: "place" }, place, element("code", {}, (source ?? "").trim())));
    }
    if (traceback !== "") body.append(element("pre", { tabindex: 0, "aria-label": "Traceback" }, withoutColours(traceback)));
    return element("li", {}, element("details", { open: isFirst }, what, body));
  }
}

/** Terminals' colours mean nothing here. */
function withoutColours(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}
