/** Packages in containers, from a registry of this file. */
import { after, before, test } from "node:test";
import { closePackageWorld, openPackageWorld, PACKAGES, type PackageWorld } from "./scenarios/packages.ts";
import { ensureWorkerImage } from "./support/engine.ts";

let world: PackageWorld;
before(async () => {
  await ensureWorkerImage();
  world = await openPackageWorld();
});
after(() => closePackageWorld(world));

for (const { name, run } of PACKAGES) test(name, async () => void (await run(world)));
