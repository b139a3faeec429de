/** Packages on an engine that is killed: one of its own for this file. */
import { test } from "node:test";
import { ENGINE_INSTALL } from "./scenarios/engine-install.ts";
import { closePackageWorld, openPackageWorld } from "./scenarios/packages.ts";
import { useEngine } from "./support/engine-file.ts";

const used = useEngine(openPackageWorld, closePackageWorld);

for (const { name, run } of ENGINE_INSTALL) test(name, async () => void (await run(used.world, used.engine)));
