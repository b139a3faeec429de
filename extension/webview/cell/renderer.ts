/** The notebook renderer of a cell's job: the door. Each output keeps its view, so that focus and scroll stay as it goes on. */
import { cellViewSchema, type CellView } from "@burla/kernel-bridge/cell-view";
import * as v from "valibot";
import { element } from "../dom.ts";
import { QUESTION_MIME, questionSchema, type FromRenderer, type ToRenderer } from "../../src/notebooks/renderer-protocol.ts";
import { JobView } from "./job-view.ts";
import { questionView } from "./question-view.ts";
import style from "./style.css";

/** As much as is used of the editor's interface for renderers. */
interface Context {
  /** Both are missing where no extension listens. */
  readonly postMessage?: (message: FromRenderer) => void;
  readonly onDidReceiveMessage?: (listener: (message: ToRenderer) => void) => void;
}
interface OutputItem {
  readonly mime: string;
  json(): unknown;
}

interface Shown {
  readonly view: JobView;
  startedAtMs: number;
}

export function activate({ postMessage, onDidReceiveMessage }: Context) {
  const views = new WeakMap<HTMLElement, Shown>();
  const all = new Set<WeakRef<Shown>>();
  onDidReceiveMessage?.(({ startedAtMs, isRunning }) => {
    for (const ref of all) {
      const shown = ref.deref();
      if (shown === undefined) all.delete(ref);
      else if (shown.startedAtMs === startedAtMs) shown.view.setRunning(isRunning);
    }
  });
  return {
    renderOutputItem(item: OutputItem, place: HTMLElement): void {
      if (item.mime === QUESTION_MIME) return showQuestion(item, place, postMessage);
      const document = read(item);
      if (document === null) return void rootOf(place).replaceChildren(element("p", {}, "This output was written by another version of Burla, or is damaged."));
      const known = views.get(place);
      const shown = known !== undefined && place.shadowRoot?.contains(known.view.root) === true ? known : show(place, postMessage);
      if (shown !== known) {
        views.set(place, shown);
        all.add(new WeakRef(shown));
      }
      const isNew = shown.startedAtMs !== document.startedAtMs;
      shown.startedAtMs = document.startedAtMs;
      shown.view.update(document);
      if (isNew) postMessage?.({ type: "shown", startedAtMs: document.startedAtMs });
    },
  };
}

function show(place: HTMLElement, postMessage: Context["postMessage"]): Shown {
  const tell = (message: FromRenderer) => postMessage?.(message);
  const shown: Shown = {
    startedAtMs: 0,
    view: new JobView({
      canAct: postMessage !== undefined,
      cancel: () => tell({ type: "cancel", startedAtMs: shown.startedAtMs }),
      pickUp: () => tell({ type: "pickUp", startedAtMs: shown.startedAtMs }),
      rerunFailed: () => tell({ type: "rerunFailed", startedAtMs: shown.startedAtMs }),
      openLog: () => tell({ type: "openLog", startedAtMs: shown.startedAtMs }),
      reveal: (line) => tell({ type: "reveal", startedAtMs: shown.startedAtMs, line }),
      split: () => tell({ type: "split", startedAtMs: shown.startedAtMs }),
    }),
  };
  rootOf(place).replaceChildren(element("style", {}, style), shown.view.root);
  return shown;
}

function showQuestion(item: OutputItem, place: HTMLElement, postMessage: Context["postMessage"]): void {
  const parsed = v.safeParse(questionSchema, item.json());
  if (!parsed.success) return;
  rootOf(place).replaceChildren(element("style", {}, style), questionView(parsed.output, postMessage));
}

/** A root of its own: styles of other outputs do not reach it. */
function rootOf(place: HTMLElement): ShadowRoot {
  return place.shadowRoot ?? place.attachShadow({ mode: "open" });
}

function read(item: OutputItem): CellView | null {
  try {
    const parsed = v.safeParse(cellViewSchema, item.json());
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
