/** Python workers in containers: the contract on their image, and jobs of the Python client. */
import { after, before, test } from "node:test";
import { closePythonWorld, openPythonWorld, PYTHON, type PythonWorld } from "./scenarios/python.ts";
import { ensureWorkerImage } from "./support/engine.ts";

let world: PythonWorld;
before(async () => {
  await ensureWorkerImage();
  await ensureWorkerImage(undefined, "python");
  world = await openPythonWorld();
});
after(() => closePythonWorld(world));

for (const { name, run } of PYTHON) test(name, async () => void (await run(world)));
