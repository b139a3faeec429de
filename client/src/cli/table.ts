/** Columns without borders. */
import CliTable from "cli-table3";

const NO_BORDERS = {
  top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "",
  left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  ",
};

/** Such as `NODE     STATE`, then a line per row. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new CliTable({
    head: head.map((name) => name.toUpperCase()),
    chars: NO_BORDERS,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
