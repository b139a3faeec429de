/**
 * Writes the figures of `results/latest.json` into `docs/performance.md`, between two marks. What stands outside of
 * them is kept by hand: where the time goes, and what would make it less.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context, Row } from "./harness/results.ts";
import { formatValue } from "./harness/table.ts";
import { scenarios } from "./scenarios/index.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { judge, type Verdict } from "./targets.ts";

const BEGIN = "<!-- figures: begin (written by bench/report.ts) -->";
const END = "<!-- figures: end -->";
const page = join(import.meta.dirname, "../docs/performance.md");
const results = join(import.meta.dirname, "results/latest.json");

const skeleton = `# Performance

How this product compares with what a user would pick instead, on one machine. \`npm run bench\` makes the figures anew.

${BEGIN}
${END}

## Where the time goes
`;

type Cells = readonly string[];

function markdownTable(head: Cells, lines: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...lines.map(line)].join("\n");
}

function missedBy({ target, measured, bar, met }: Verdict): string {
  if (met) return "";
  const ratio = target.better === "higher" ? bar / measured : measured / bar;
  return ratio < 2 ? `${((ratio - 1) * 100).toFixed(1)} %` : `${ratio.toFixed(1)} times`;
}

function targetTable(rows: readonly Row[]): string {
  return markdownTable(
    ["target", "bar", "measured", "met", "missed by"],
    judge(rows).map((verdict) => {
      const { target, measured, bar, met } = verdict;
      const sign = target.better === "higher" ? "≥" : "≤";
      const cells = [`${sign} ${formatValue(bar)} ${target.unit}`, `${formatValue(measured)} ${target.unit}`];
      return [target.title, ...cells, met ? "yes" : "**no**", missedBy(verdict)];
    }),
  );
}

function scenarioSection(scenario: Scenario, rows: readonly Row[], context: Context): string {
  const own = rows.filter((row) => row.scenario === scenario.name);
  const metrics = [...new Set(own.map(({ metric }) => metric))];
  const systems = [...new Set(own.map(({ system }) => system))];
  const cell = (system: string, metric: string) => {
    const row = own.find((each) => each.system === system && each.metric === metric);
    return row === undefined ? "" : formatValue(row.value);
  };
  const unit = (metric: string) => own.find((row) => row.metric === metric)?.unit;
  const head = metrics.map((metric) => `${metric.replaceAll("_", " ")}${unit(metric) ? `, ${unit(metric)}` : ""}`);
  const table = markdownTable(["", ...head], systems.map((system) => [system, ...metrics.map((metric) => cell(system, metric))]));
  const notes = context.notes.filter((note) => note.scenario === scenario.name);
  return [`### ${scenario.name}: ${scenario.title}`, table, notes.map(({ system, text }) => `- ${system}: ${text}`).join("\n")]
    .filter((part) => part !== "")
    .join("\n\n");
}

function figures(rows: readonly Row[], context: Context): string {
  const { machine, versions } = context;
  const missing = context.notes.filter(({ scenario }) => scenario === "all").map(({ system, text }) => `- ${system} ${text}`);
  const measured = scenarios.filter(({ name }) => rows.some(({ scenario }) => scenario === name));
  return [
    `Measured on ${context.date} at ${context.commit}${context.quick ? ", with the smaller numbers of `--quick`" : ""}: ` +
      `${machine["cores"]} cores (${machine["processor"]}), ${machine["memory"]}, ${machine["kernel"]}, Node ${machine["node"]}. ` +
      `Versions: ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")}.`,
    ...(missing.length > 0 ? [missing.join("\n")] : []),
    "## Targets",
    targetTable(rows),
    "## Side by side",
    ...measured.map((scenario) => scenarioSection(scenario, rows, context)),
  ].join("\n\n");
}

const rows = JSON.parse(readFileSync(results, "utf8")) as Row[];
const context = JSON.parse(readFileSync(results.replace(".json", "-context.json"), "utf8")) as Context;
const text = existsSync(page) ? readFileSync(page, "utf8") : skeleton;
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
if (begin < 0 || end < begin) throw new Error(`${page} has lost the marks around its figures`);
writeFileSync(page, `${text.slice(0, begin)}${BEGIN}\n\n${figures(rows, context)}\n\n${text.slice(end)}`);
