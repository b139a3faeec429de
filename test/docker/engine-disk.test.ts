/** An engine with a small disk of its own, which is filled. */
import { test } from "node:test";
import { ENGINE_DISK, ENGINE_DISK_MIB } from "./scenarios/engine-disk.ts";
import { openEngineCluster, useEngine } from "./support/engine-file.ts";

const used = useEngine(openEngineCluster, (cluster) => cluster.dispose(), ENGINE_DISK_MIB);

for (const { name, run } of ENGINE_DISK) test(name, async () => void (await run(used.world, used.engine)));
