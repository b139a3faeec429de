/** The bare loop, in a process of its own: `reference STEPS CALLS` prints the CPU and wall milliseconds it took. */
import { busy } from "./functions.ts";

const steps = Number(process.argv[2]);
const calls = Number(process.argv[3]);
for (let i = 0; i < 20; i++) busy(steps);
const cpuBefore = process.cpuUsage();
const wallBefore = performance.now();
for (let i = 0; i < calls; i++) busy(steps);
const wallMs = performance.now() - wallBefore;
const cpu = process.cpuUsage(cpuBefore);
process.stdout.write(JSON.stringify({ cpuMs: (cpu.user + cpu.system) / 1000, wallMs }));
