/** The page of the results view. It holds the rows that are in sight; the extension has them all. */
import type { RowOrder } from "../src/runs/row-order.ts";
import type { HostToView } from "../src/runs/view-messages.ts";
import { Details } from "./details.ts";
import { element } from "./dom.ts";
import { Grid } from "./grid.ts";
import { Header } from "./header.ts";
import { onMessage, remember, remembered, tell } from "./host.ts";

let filter = remembered({ onlyFailed: false, text: "", group: null as string | null, order: null as RowOrder | null });
// An older page has remembered it in another form.
if (typeof filter.order !== "object") filter = { ...filter, order: null };
/** The run, and which of its jobs. */
let shownRun = "";
let version = -1;
/** Rows were asked for, and have not come. */
let isAsking = false;
/** They should be asked for once more. */
let isStale = false;

const empty = element("div", { class: "empty" }, element("p", {}, "Nothing was run yet."), element("p", {}, "Click “Run on Burla” above a function of a TypeScript or JavaScript file: its results appear here."));
const none = element("p", { class: "none", hidden: true });
const details = new Details(() => grid.root.focus());
const grid = new Grid({
  look,
  select: ({ index }) => details.ask(index),
  open: ({ index }) => tell({ type: "open", index }),
  order: (order) => changeFilter({ order }),
});
const header = new Header(filter, changeFilter);
const main = element("main", { hidden: true }, header.root, element("div", { class: "split" }, element("div", { class: "table" }, grid.root, none), details.root));

grid.setOrder(filter.order);
document.body.append(empty, main);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "f") header.focusFilter();
});
onMessage(hear);
tell({ type: "ready" });

function changeFilter(change: Partial<typeof filter>): void {
  filter = { ...filter, ...change };
  remember(filter);
  grid.setOrder(filter.order);
  grid.reset();
  look();
}

/** One question at a time: answers to what has scrolled away would only cost time. */
function look(): void {
  isStale = isAsking;
  if (isAsking) return;
  isAsking = true;
  tell({ type: "look", filter, ...grid.range });
}

function hear(message: HostToView): void {
  switch (message.type) {
    case "state":
      return showState(message);
    case "shown":
      // An answer to a page that was hidden meanwhile may be lost.
      isAsking = false;
      return look();
    case "rows":
      return showRows(message);
    case "detail":
      return details.show(message.detail);
    case "detailGone":
      return details.fail(message.index, message.message);
  }
}

function showState({ run, runs, version: newVersion }: Extract<HostToView, { type: "state" }>): void {
  empty.hidden = run !== null;
  main.hidden = run === null;
  if (run === null) return;
  header.update(run, runs);
  grid.setFields(run.columns);
  const shown = `${run.id} ${run.job}`;
  if (shown !== shownRun) {
    // The first one is shown as it was left; what follows is another matter.
    if (shownRun !== "") header.showAll();
    shownRun = shown;
    version = -1;
    details.close();
    grid.reset();
  }
  none.dataset["phase"] = run.phase;
  showEmptiness();
  if (newVersion !== version) look();
}

/** Why the table is empty, when it is. */
function showEmptiness(): void {
  const isLive = none.dataset["phase"] === "running" || none.dataset["phase"] === "preparing";
  const unfiltered = isLive ? "Results appear here as they come." : "There are no results.";
  none.textContent = filter.text !== "" ? "No result holds this text." : filter.onlyFailed || filter.group !== null ? "No input has failed so." : unfiltered;
}

function showRows({ from, shown, rows, version: newVersion }: Extract<HostToView, { type: "rows" }>): void {
  isAsking = false;
  const isNew = newVersion !== version || isStale;
  version = newVersion;
  grid.setRows(from, shown, rows, isNew);
  none.hidden = shown > 0;
  showEmptiness();
  if (isNew && details.index >= 0) details.ask(details.index);
  if (isStale) look();
}
