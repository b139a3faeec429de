/** What a cell waits for its user to say: a text, and the answers as buttons. */
import { button, element } from "../dom.ts";
import type { FromRenderer, ShownQuestion } from "../../src/notebooks/renderer-protocol.ts";

/** @param postMessage undefined where nobody listens: then the text stands alone. */
export function questionView({ text, answers }: ShownQuestion, postMessage: ((message: FromRenderer) => void) | undefined): HTMLElement {
  const buttons = postMessage === undefined ? [] : answers.map((answer, index) => button(answer, () => postMessage({ type: "answer", question: text, answer }), index === 0 ? {} : { class: "secondary" }));
  return element("article", { class: "job question", "aria-label": "Question", "aria-live": "polite" }, element("p", {}, text), element("div", { class: "answers" }, ...buttons));
}
