/** Main ends just when it is there: whoever has started it starts another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";

const PROGRAMS = {
  TypeScript: (cluster: TestCluster) => Script.start(cluster, `
console.log("sum", (await remoteParallelMap((x) => x * 2, [1, 2, 3]).toArray()).reduce((sum, x) => sum + x, 0));`),
  Python: (cluster: TestCluster) => Script.python(cluster, 'print("sum", sum(remote_parallel_map(lambda x: x * 2, [1, 2, 3])))'),
  "burla up": (cluster: TestCluster) => Script.command(cluster, ["up"]),
};
const SAID: Record<string, RegExp> = { "burla up": /ready/ };

for (const [language, start] of Object.entries(PROGRAMS)) {
  test(`main is killed between its start and the first dial: ${language}`, async () => {
    const cluster = new TestCluster();
    try {
      const script = start(cluster);
      let killed = 0;
      while (killed === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        if (!cluster.isAnnounced) continue;
        killed = cluster.address.pid;
        process.kill(killed, "SIGKILL");
      }
      const { code, stdout, stderr } = await script.ended();
      assert.equal(code, 0, stderr);
      assert.match(stdout, SAID[language] ?? /sum 12/);
      assert.notEqual(cluster.address.pid, killed);
    } finally {
      await cluster.dispose();
    }
  });
}
