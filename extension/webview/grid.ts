/**
 * The table of results. Rows have one height, so that the place of each of a million is known without measuring; only
 * those in sight are in the document, and they are asked of the extension as they come into sight.
 */
import type { ViewRow } from "../src/runs/view-messages.ts";
import { element, numberText, set } from "./dom.ts";

const ROW_HEIGHT = 22;
/** Rows beyond both edges that are there already when one scrolls. */
const OVERSCAN = 20;
const COLUMNS = ["Input", "Status", "Value", "Result"] as const;
const PAGE_KEYS = 2;

export interface GridActions {
  /** Rows from there on are wanted. */
  readonly look: (from: number, count: number) => void;
  readonly select: (row: ViewRow) => void;
  readonly open: (row: ViewRow) => void;
  /** The head of the first column was clicked. */
  readonly toggleOrder: () => void;
}

export class Grid {
  readonly root = element("div", { class: "grid", role: "grid", tabindex: 0, "aria-label": "Results", "aria-colcount": COLUMNS.length, "aria-rowcount": 1 });
  readonly #body = element("div", { class: "body", role: "rowgroup" });
  readonly #actions: GridActions;
  readonly #order: HTMLElement;
  /** Rows by their place in what is shown. */
  readonly #rows = new Map<number, ViewRow>();
  readonly #elements = new Map<number, HTMLElement>();
  #shown = 0;
  #selected = -1;

  constructor(actions: GridActions) {
    this.#actions = actions;
    const heads = COLUMNS.map((title, column) => element("div", { role: "columnheader", class: `cell c${column}`, "aria-colindex": column + 1 }, ["#", "Status", "Input", "Result or error"][column] ?? title));
    this.#order = heads[0] as HTMLElement;
    this.#order.append(element("span", { class: "order", "aria-hidden": "true" }));
    this.#order.tabIndex = 0;
    this.#order.addEventListener("click", () => actions.toggleOrder());
    this.#order.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      actions.toggleOrder();
    });
    this.#order.title = "Order by input, or as results arrive";
    this.root.append(element("div", { role: "row", class: "row head", "aria-rowindex": 1 }, ...heads), this.#body);
    this.root.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.root.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("click", (event) => this.#click(event));
    this.#body.addEventListener("dblclick", () => this.#openSelected());
    new ResizeObserver(() => this.#draw()).observe(this.root);
  }

  /** Which rows are wanted now. */
  get range(): { from: number; count: number } {
    const from = Math.max(0, Math.floor(this.root.scrollTop / ROW_HEIGHT) - OVERSCAN);
    return { from, count: Math.ceil(this.root.clientHeight / ROW_HEIGHT) + 2 * OVERSCAN };
  }

  setOrder(order: "arrival" | "input"): void {
    set(this.#order, "aria-sort", order === "input" ? "ascending" : "none");
  }

  /** Rows of the extension. What was known of rows beyond them is out of date when anything has changed. */
  setRows(from: number, shown: number, rows: readonly ViewRow[], isNew: boolean): void {
    if (isNew) this.#rows.clear();
    rows.forEach((row, offset) => this.#rows.set(from + offset, row));
    this.#shown = shown;
    if (this.#selected >= shown) this.#selected = shown - 1;
    set(this.root, "aria-rowcount", shown + 1);
    this.#body.style.height = `${shown * ROW_HEIGHT}px`;
    this.#draw();
  }

  /** Another run, another filter: from the top. */
  reset(): void {
    this.#rows.clear();
    this.#selected = -1;
    this.root.scrollTop = 0;
  }

  #draw(): void {
    const { from, count } = this.range;
    const to = Math.min(this.#shown, from + count);
    for (const [at, drawn] of this.#elements) {
      if (at >= from && at < to) continue;
      drawn.remove();
      this.#elements.delete(at);
    }
    let isMissing = false;
    for (let at = from; at < to; at++) {
      const row = this.#rows.get(at);
      isMissing ||= row === undefined;
      this.#drawRow(at, row);
    }
    set(this.root, "aria-activedescendant", this.#elements.has(this.#selected) ? `row-${this.#selected}` : false);
    if (isMissing) this.#actions.look(from, count);
  }

  #drawRow(at: number, row: ViewRow | undefined): void {
    let drawn = this.#elements.get(at);
    if (drawn === undefined) {
      drawn = element("div", { role: "row", class: "row", id: `row-${at}`, "aria-rowindex": at + 2 }, ...COLUMNS.map((_, column) => element("div", { role: "gridcell", class: `cell c${column}`, "aria-colindex": column + 1 })));
      drawn.style.transform = `translateY(${at * ROW_HEIGHT}px)`;
      drawn.dataset["at"] = String(at);
      this.#body.append(drawn);
      this.#elements.set(at, drawn);
    }
    const texts = row === undefined ? ["", "", "", ""] : [numberText(row.index), row.isFailed ? "✗ failed" : "✓ done", row.input, row.text];
    drawn.childNodes.forEach((cell, column) => {
      if (cell.textContent !== texts[column]) cell.textContent = texts[column] ?? "";
    });
    drawn.classList.toggle("failed", row?.isFailed === true);
    set(drawn, "aria-selected", at === this.#selected ? "true" : "false");
  }

  #click(event: MouseEvent): void {
    const at = (event.target as Element).closest<HTMLElement>(".row")?.dataset["at"];
    if (at !== undefined) this.#select(Number(at));
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.root.clientHeight / ROW_HEIGHT) - PAGE_KEYS);
    const target = { ArrowDown: this.#selected + 1, ArrowUp: this.#selected - 1, PageDown: this.#selected + page, PageUp: this.#selected - page, Home: 0, End: this.#shown - 1 }[event.key];
    if (event.key === "Enter") this.#openSelected();
    else if (target !== undefined) this.#select(Math.max(0, Math.min(this.#shown - 1, target)));
    else return;
    event.preventDefault();
  }

  #select(at: number): void {
    if (at < 0 || this.#shown === 0) return;
    this.#selected = at;
    const top = at * ROW_HEIGHT;
    const bottom = top + 2 * ROW_HEIGHT;
    if (top < this.root.scrollTop) this.root.scrollTop = top;
    else if (bottom > this.root.scrollTop + this.root.clientHeight) this.root.scrollTop = bottom - this.root.clientHeight;
    this.#draw();
    const row = this.#rows.get(at);
    if (row !== undefined) this.#actions.select(row);
  }

  #openSelected(): void {
    const row = this.#rows.get(this.#selected);
    if (row !== undefined) this.#actions.open(row);
  }
}
