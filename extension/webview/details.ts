/** All of one result: the whole value, or the error with the user's own lines to click on. */
import type { ViewDetail, ViewFrame } from "../src/runs/view-messages.ts";
import { button, element, numberText } from "./dom.ts";
import { tell } from "./host.ts";

export class Details {
  readonly root = element("section", { class: "details", "aria-label": "Selected result", hidden: true });
  readonly #onClose: () => void;
  #index = -1;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
    this.root.addEventListener("keydown", (event) => (event.key === "Escape" ? this.#closeByUser() : undefined));
  }

  /** The input that is shown; -1 for none. */
  get index(): number {
    return this.#index;
  }

  ask(index: number): void {
    this.#index = index;
    tell({ type: "detail", index });
  }

  close(): void {
    this.#index = -1;
    this.root.hidden = true;
  }

  #closeByUser(): void {
    this.close();
    this.#onClose();
  }

  show(detail: ViewDetail): void {
    if (detail.index !== this.#index) return;
    const isError = detail.kind === "error";
    const actions = element("div", { class: "actions" });
    if (isError && detail.frames.some(({ place }) => place !== null)) actions.append(button("Go to Line", () => tell({ type: "open", index: detail.index })));
    if (isError) actions.append(button("Copy as Test Case", () => tell({ type: "copyTest", index: detail.index }), { class: "secondary", title: "Copies a test that fails as this input did" }));
    actions.append(button(isError ? "Open Error" : "Open Value", () => tell({ type: "openValue", index: detail.index }), { class: "secondary" }), button("Close", () => this.#closeByUser(), { class: "secondary" }));
    this.root.replaceChildren(
      element("header", {}, element("h2", {}, `Input ${numberText(detail.index)}`), actions),
      ...(detail.input === "" ? [] : [element("h3", {}, "Input"), element("pre", { tabindex: 0 }, detail.input)]),
      ...(isError ? errorParts(detail) : valueParts(detail)),
    );
    this.root.hidden = false;
  }

  fail(index: number, message: string): void {
    if (index !== this.#index) return;
    this.root.replaceChildren(element("p", { role: "alert" }, message));
    this.root.hidden = false;
  }
}

function valueParts({ value, isCut }: Extract<ViewDetail, { kind: "value" }>): Node[] {
  const note = isCut ? [element("p", { class: "note" }, "This is the beginning; Open Value shows all of it.")] : [];
  return [element("h3", {}, "Result"), element("pre", { tabindex: 0 }, value), ...note];
}

function errorParts({ message, cure, frames }: Extract<ViewDetail, { kind: "error" }>): Node[] {
  return [
    element("h3", {}, "Error"),
    element("pre", { class: "error", tabindex: 0 }, message),
    ...(cure === "" ? [] : [element("p", { class: "note" }, cure)]),
    ...(frames.length === 0 ? [] : [element("ul", { class: "stack" }, ...frames.map(frameItem))]),
  ];
}

function frameItem({ text, place }: ViewFrame): HTMLElement {
  if (place === null) return element("li", {}, text);
  return element("li", {}, button(text, () => tell({ type: "openPlace", ...place }), { class: "link", title: `${place.file}:${place.line}` }));
}
