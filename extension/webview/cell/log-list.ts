/** The last lines that the calls have printed. It follows the newest one until somebody looks back. */
import type { CellView } from "@burla/kernel-bridge/cell-view";
import { button, element, numberText } from "../dom.ts";

type Line = CellView["log"]["lines"][number];

/** A scroll position this near to the end is the end. */
const END_PX = 8;

export class LogList {
  readonly root: HTMLElement;
  readonly #list = element("div", { class: "lines", role: "log", "aria-live": "off", "aria-label": "Log", tabindex: 0 });
  readonly #title = element("span", { class: "title" });
  readonly #follow = button("Pause", () => this.#setFollowing(!this.#isFollowing), { class: "quiet" });
  #isFollowing = true;
  #total = 0;

  constructor(openAll: () => void) {
    const all = button("Open Full Log", openAll, { class: "quiet" });
    this.root = element("section", { class: "log", hidden: true }, element("div", { class: "line" }, this.#title, this.#follow, all), this.#list);
    this.#list.addEventListener("scroll", () => this.#onScroll());
  }

  update({ lines, total, dropped }: CellView["log"], live: boolean): void {
    this.root.hidden = lines.length === 0;
    this.#follow.hidden = !live;
    const fresh = Math.min(lines.length, total - this.#total);
    this.#title.textContent = titleOf(lines.length, total, dropped);
    if (fresh === 0 && total === this.#total) return;
    if (total < this.#total || fresh >= lines.length) this.#list.replaceChildren(...lines.map(lineElement));
    else this.#list.append(...lines.slice(lines.length - fresh).map(lineElement));
    while (this.#list.childElementCount > lines.length) this.#list.firstElementChild?.remove();
    this.#total = total;
    if (this.#isFollowing) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #onScroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - END_PX;
    if (isAtEnd !== this.#isFollowing) this.#setFollowing(isAtEnd);
  }

  #setFollowing(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    this.#follow.textContent = isFollowing ? "Pause" : "Follow";
    if (isFollowing) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

function titleOf(shown: number, total: number, dropped: number): string {
  const all = total > shown ? `Log, the last ${numberText(shown)} of ${numberText(total)} lines` : `Log, ${numberText(total)} ${total === 1 ? "line" : "lines"}`;
  // Those that only are not shown here count as dropped, too.
  const lost = dropped - (total - shown);
  return lost <= 0 ? all : `${all}; ${numberText(lost)} were too many to keep`;
}

function lineElement([input, stream, text]: Line): HTMLElement {
  const tag = element("span", { class: "tag", title: input < 0 ? "Outside of a call" : `Input ${input}` }, input < 0 ? "–" : String(input));
  return element("div", { class: stream === 2 ? "row stderr" : "row" }, tag, element("span", { class: "text" }, ...(stream === 2 ? [element("span", { class: "spoken" }, "stderr: ")] : []), text));
}
