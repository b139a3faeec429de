/** `npm run faults -- --runs 300 --seed 7`: random faults in random jobs, on real processes. See `README.md` here. */
import { parseArgs } from "node:util";
import { campaign } from "./campaign.ts";
import { FAULT_KINDS } from "./plan.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "20" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
    minutes: { type: "string", default: "Infinity" },
    short: { type: "boolean", default: false },
    without: { type: "string", default: "" },
  },
});

const names = values.without.split(",").filter((name) => name !== "");
const without = FAULT_KINDS.filter((kind) => names.includes(kind));
if (without.length < names.length || !(Number(values.runs) > 0) || !Number.isInteger(Number(values.seed))) {
  console.error(`--runs and --seed are numbers, --without some of: ${FAULT_KINDS.join(", ")}`);
  process.exit(2);
}

let isStopped = false;
process.once("SIGINT", () => {
  isStopped = true;
  console.log("no further run begins; once more ends this one too");
});
const endMs = performance.now() + Number(values.minutes) * 60_000;
const tally = await campaign({
  seed: Number(values.seed), runs: Number(values.runs), isShort: values.short, without, isOver: () => isStopped || performance.now() > endMs, say: (line) => console.log(line),
});
console.log(`\n${tally.text}`);
for (const complaint of tally.complaints) console.log(complaint);
// Programs that were given up may hold it.
process.exit(tally.complaints.length === 0 ? 0 : 1);
