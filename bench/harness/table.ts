/** The result for a reader at a terminal. */
import Table from "cli-table3";
import type { Scenario } from "../scenarios/scenario.ts";
import type { Note, Row } from "./results.ts";

/** Three significant digits, and no more than people read. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return Number(value.toPrecision(3)).toString();
}

/** One table for a scenario: a line per system, a column per figure. */
export function scenarioTable(scenario: Scenario, rows: readonly Row[]): string {
  const of = rows.filter((row) => row.scenario === scenario.name);
  const columns = [...new Set(of.map(({ metric }) => metric))];
  const systems = [...new Set(of.map(({ system }) => system))];
  const unit = (metric: string) => of.find((row) => row.metric === metric)?.unit ?? "";
  const heads = columns.map((metric) => `${metric.replaceAll("_", " ")}${unit(metric) ? ` (${unit(metric)})` : ""}`);
  const table = new Table({ head: ["", ...heads], colAligns: ["left", ...columns.map(() => "right" as const)], style: { head: [], border: [] } });
  for (const system of systems) {
    const value = (metric: string) => of.find((row) => row.system === system && row.metric === metric)?.value;
    table.push([system, ...columns.map((metric) => formatValue(value(metric) ?? NaN))]);
  }
  return `\n${scenario.name}: ${scenario.title}\n${table.toString()}`;
}

/** The notes of a scenario, one per line. */
export function scenarioNotes(scenario: Scenario, notes: readonly Note[]): string {
  return notes
    .filter((note) => note.scenario === scenario.name)
    .map(({ system, text }) => `  ${system}: ${text}\n`)
    .join("");
}
