/** Errors that say the same, with how often: one click shows those inputs alone, another copies a test that fails so. */
import type { ViewRun } from "../src/runs/view-messages.ts";
import { button, element, numberText, set } from "./dom.ts";
import { tell } from "./host.ts";

export class Groups {
  readonly root = element("ul", { class: "groups", "aria-label": "Errors", hidden: true });
  readonly #onChoose: (group: string | null) => void;
  #groups: ViewRun["groups"] = [];
  #chosen: string | null = null;

  /** @param onChoose told the key of the group whose inputs are wanted alone; null for all. */
  constructor(onChoose: (group: string | null) => void) {
    this.#onChoose = onChoose;
  }

  update(groups: ViewRun["groups"], isWanted: boolean, chosen: string | null): void {
    const isSame = JSON.stringify([groups, chosen]) === JSON.stringify([this.#groups, this.#chosen]);
    this.root.hidden = !isWanted || groups.length === 0;
    if (isSame) return;
    const focused = this.#focused();
    this.#groups = groups;
    this.#chosen = chosen;
    this.root.replaceChildren(...groups.map((group) => this.#item(group)));
    if (focused >= 0) this.root.querySelectorAll("button")[focused]?.focus();
  }

  /** Which of the buttons has the focus: made anew, they would lose it. */
  #focused(): number {
    return [...this.root.querySelectorAll("button")].findIndex((made) => made === document.activeElement);
  }

  #item({ key, text, count }: ViewRun["groups"][number]): HTMLElement {
    const isChosen = key === this.#chosen;
    const choose = button(`${numberText(count)} × ${text}`, () => this.#onChoose(isChosen ? null : key), { class: "link", title: isChosen ? "Show all failed inputs" : "Show these inputs alone" });
    set(choose, "aria-pressed", isChosen ? "true" : "false");
    return element("li", {}, choose, button("Copy as Test Case", () => tell({ type: "copyGroupTest", group: key }), { class: "secondary", title: "Copies a test that fails as the first of these inputs did" }));
  }
}
