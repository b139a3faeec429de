/** An engine that is stopped, killed, frozen and emptied: one of its own for this file. */
import { test } from "node:test";
import { ENGINE } from "./scenarios/engine.ts";
import { openEngineCluster, useEngine } from "./support/engine-file.ts";

const used = useEngine(openEngineCluster, (cluster) => cluster.dispose());

for (const { name, run } of ENGINE) test(name, async () => void (await run(used.world, used.engine)));
