/**
 * The table of results. Rows have one height, so that the place of each of a million is known without measuring; only
 * those in sight are in the document, and they are asked of the extension as they come into sight.
 */
import type { OwnColumn, RowOrder } from "../src/runs/row-order.ts";
import type { ViewRow } from "../src/runs/view-messages.ts";
import { button, element, numberText, set } from "./dom.ts";

const ROW_HEIGHT = 22;
/** Rows beyond both edges that are there already when one scrolls. */
const OVERSCAN = 20;
const PAGE_KEYS = 2;

/** A column: its head, and what a row has of it. */
interface Column {
  readonly title: string;
  readonly hint: string;
  /** Names its width and its look. */
  readonly look: OwnColumn | "field";
  readonly order: RowOrder["column"];
  readonly text: (row: ViewRow) => string;
}

const FIRST: readonly Column[] = [
  { title: "#", hint: "Order by input", look: "index", order: { own: "index" }, text: ({ index }) => numberText(index) },
  { title: "Status", hint: "Order by status", look: "status", order: { own: "status" }, text: ({ isFailed }) => (isFailed ? "✗ failed" : "✓ done") },
  { title: "After", hint: "When the result came, from the start of the job", look: "after", order: { own: "after" }, text: ({ after }) => after },
  { title: "Input", hint: "Order by what the input is", look: "input", order: { own: "input" }, text: ({ input }) => input },
];
const LAST: Column = { title: "Result or error", hint: "Order by result", look: "result", order: { own: "result" }, text: ({ text }) => text };

/** Ours, and between them those of the fields of the values. */
function columnsFor(fields: readonly string[]): readonly Column[] {
  const own = fields.map((field, at): Column => ({ title: field, hint: `Order by ${field}`, look: "field", order: { field }, text: (row) => row.fields[at] ?? "" }));
  return [...FIRST, ...own, LAST];
}

export interface GridActions {
  /** Rows from there on are wanted. */
  readonly look: (from: number, count: number) => void;
  readonly select: (row: ViewRow) => void;
  readonly open: (row: ViewRow) => void;
  /** The rows are wanted in another order. */
  readonly order: (order: RowOrder | null) => void;
}

export class Grid {
  readonly root = element("div", { class: "grid", role: "grid", tabindex: 0, "aria-label": "Results", "aria-rowcount": 1 });
  readonly #head = element("div", { role: "row", class: "row head", "aria-rowindex": 1 });
  readonly #body = element("div", { class: "body", role: "rowgroup" });
  readonly #actions: GridActions;
  #columns: readonly Column[] = [];
  #order: RowOrder | null = null;
  /** Rows by their place in what is shown. */
  readonly #rows = new Map<number, ViewRow>();
  readonly #elements = new Map<number, HTMLElement>();
  #shown = 0;
  #selected = -1;

  constructor(actions: GridActions) {
    this.#actions = actions;
    this.root.append(this.#head, this.#body);
    this.setFields([]);
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

  /** The fields that have columns of their own. */
  setFields(fields: readonly string[]): void {
    const columns = columnsFor(fields);
    if (columns.length === this.#columns.length && columns.every(({ title }, at) => title === this.#columns[at]?.title)) return;
    this.#columns = columns;
    this.root.style.setProperty("--fields", String(fields.length));
    this.root.style.setProperty("--columns", columns.map(({ look }) => `var(--${look}-width)`).join(" "));
    set(this.root, "aria-colcount", columns.length);
    this.#head.replaceChildren(...columns.map((column, at) => this.#headCell(column, at)));
    for (const drawn of this.#elements.values()) drawn.remove();
    this.#elements.clear();
    this.setOrder(this.#order);
    this.#draw();
  }

  setOrder(order: RowOrder | null): void {
    this.#order = order;
    this.#columns.forEach((column, at) => {
      const isOrdered = order !== null && isSame(order.column, column.order);
      set(this.#head.children[at] as Element, "aria-sort", !isOrdered ? "none" : order.isDescending ? "descending" : "ascending");
    });
  }

  #headCell(column: Column, at: number): HTMLElement {
    const title = button(column.title, () => this.#actions.order(this.#orderAfter(column)), { title: column.hint });
    title.append(element("span", { class: "order", "aria-hidden": "true" }));
    return element("div", { role: "columnheader", class: `cell ${column.look}`, "aria-colindex": at + 1 }, title);
  }

  /** Ascending, then descending, then as results arrive. */
  #orderAfter({ order: column }: Column): RowOrder | null {
    if (this.#order === null || !isSame(this.#order.column, column)) return { column, isDescending: false };
    return this.#order.isDescending ? null : { column, isDescending: true };
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
      drawn = element("div", { role: "row", class: "row", id: `row-${at}`, "aria-rowindex": at + 2 }, ...this.#columns.map(({ look }, column) => element("div", { role: "gridcell", class: `cell ${look}`, "aria-colindex": column + 1 })));
      drawn.style.transform = `translateY(${at * ROW_HEIGHT}px)`;
      drawn.dataset["at"] = String(at);
      this.#body.append(drawn);
      this.#elements.set(at, drawn);
    }
    drawn.childNodes.forEach((cell, column) => {
      const text = row === undefined ? "" : (this.#columns[column]?.text(row) ?? "");
      if (cell.textContent !== text) cell.textContent = text;
    });
    drawn.classList.toggle("failed", row?.isFailed === true);
    set(drawn, "aria-selected", at === this.#selected ? "true" : "false");
  }

  #click(event: MouseEvent): void {
    const at = (event.target as Element).closest<HTMLElement>(".row")?.dataset["at"];
    if (at !== undefined) this.#select(Number(at));
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.root) return;
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

function isSame(a: RowOrder["column"], b: RowOrder["column"]): boolean {
  if ("own" in a) return "own" in b && a.own === b.own;
  return "field" in b && a.field === b.field;
}
