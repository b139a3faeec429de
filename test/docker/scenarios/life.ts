/** The life of nodes with containers: tenants, warm sets, restarts. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { remoteParallelMap } from "burla";
import { assertEachOnce, drain, numbers } from "../../support/inputs.ts";
import { until } from "../support/until.ts";
import type { DockerCluster, SeenContainer } from "../support/cluster.ts";
import { heldInputs } from "../support/held.ts";
import { medianMs, roundMs, type Scenario } from "../support/scenario.ts";

/** The name of a second image of the cluster, of which none is kept warm. */
export const OTHER_IMAGE = "burla/worker-node:scenario";
const ROUNDS = 5;

const whereAmI = (x: number) => [x, hostname()] as const;
async function slowWhereAmI(x: number): Promise<readonly [number, string]> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return [x, hostname()];
}

const warmStart: Scenario = {
  name: "a job starts on warm nodes, which then start over",
  run: async (cluster) => {
    const first: number[] = [], restart: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await cluster.ready();
      const before = idsOf(await cluster.containers());
      const begin = performance.now();
      const [[, container]] = (await remoteParallelMap(whereAmI, [0]).toArray()) as [readonly [number, string]];
      first.push(performance.now() - begin);
      assert.ok(before.some((id) => id.startsWith(container)), "a warm container did it");
      restart.push(await cluster.timeToReady());
      assert.ok(!idsOf(await cluster.containers()).some((id) => id.startsWith(container)), "it is gone");
    }
    return { rounds: ROUNDS, firstResultMs: medianMs(first), restartMs: medianMs(restart) };
  },
};

const twoJobs: Scenario = {
  name: "two jobs at the same time never share a node",
  run: async (cluster) => {
    await cluster.ready();
    const jobs = [remoteParallelMap(slowWhereAmI, numbers(400)), remoteParallelMap(slowWhereAmI, numbers(400))];
    const ended = jobs.map((job) => job.toArray());
    let looks = 0, together = 0, isOver = false;
    void Promise.allSettled(ended).then(() => (isOver = true));
    const nodeOf = new Map<string, string>();
    while (!isOver) {
      const { nodes } = await cluster.status();
      for (const { id, nodeId } of await cluster.containers()) nodeOf.set(id.slice(0, 12), nodeId);
      for (const node of nodes) assert.ok(new Set([...node.jobs, ...node.workers.flatMap(({ jobId }) => jobId ?? [])]).size <= 1, `${node.nodeId} has two tenants`);
      looks++;
      if (new Set(nodes.flatMap((node) => node.jobs)).size === 2) together++;
    }
    const [one = [], other = []] = await Promise.all(ended);
    for (const results of [one, other]) assertEachOnce(results.map(([x]) => x), 400);
    const nodesOf = (results: typeof one) => [...new Set(results.map(([, container]) => container))];
    assert.deepEqual(nodesOf(one).filter((container) => nodesOf(other).includes(container)), [], "no container worked for both");
    assert.ok(together > 0, "they did run at the same time");
    return { looks, together, containersOfFirst: nodesOf(one).length, containersOfSecond: nodesOf(other).length, nodes: [...new Set(nodeOf.values())].sort() };
  },
};

const replaced: Scenario = {
  name: "an incompatible warm set is replaced",
  run: async (cluster) => {
    await cluster.ready();
    const warm = await cluster.containers();
    const begin = performance.now();
    const { inputs, release } = heldInputs(40);
    const results = remoteParallelMap(slowWhereAmI, inputs, { image: OTHER_IMAGE });
    const first = await results.next();
    const firstMs = performance.now() - begin;
    assert.ok(first.done !== true);
    const { nodes } = await cluster.status();
    const atWork = nodes.filter((node) => node.jobs.includes(results.jobId)).map(({ nodeId }) => nodeId);
    await until("what does not fit is gone", async () => {
      const ids = idsOf(await cluster.containers());
      return warm.filter(({ nodeId }) => atWork.includes(nodeId)).every(({ id }) => !ids.includes(id));
    });
    assert.ok(atWork.length > 0);
    const during = (await cluster.containers()).filter(({ nodeId }) => atWork.includes(nodeId));
    release();
    const rest = await drain(results);
    assertEachOnce([first.value, ...rest.values].map(([x]) => x), 40);
    await cluster.ready();
    const after = await cluster.containers();
    assert.ok(during.every(({ image }) => image === OTHER_IMAGE));
    assert.ok(after.every(({ image, id }) => image !== OTHER_IMAGE && !idsOf(during).includes(id)), "a fresh warm set is there");
    return { warm: warm.length, nodesAtWork: atWork.length, containersOfJob: during.length, firstResultMs: roundMs(firstMs), warmAfterwards: after.length };
  },
};

const userError: Scenario = {
  name: "an error of the function restarts all nodes of the job, and only those",
  run: async (cluster) => {
    await cluster.ready();
    const quietInputs = heldInputs(100), failingInputs = heldInputs(100);
    const quiet = remoteParallelMap(slowWhereAmI, quietInputs.inputs, { maxParallelism: 2 });
    const quietEnds = quiet.toArray();
    await nodesAtWork(cluster, quiet.jobId, 2);
    const failing = remoteParallelMap((x: number) => {
      if (x === 99) throw new RangeError("bad input");
      return x;
    }, failingInputs.inputs, { maxParallelism: 2 });
    const failed = drain(failing);
    const restarted = await nodesAtWork(cluster, failing.jobId, 2);
    const before = await cluster.containers();
    failingInputs.release();
    const { error } = await failed;
    assert.ok(error instanceof RangeError && (error as { inputIndex?: number }).inputIndex === 99);
    const begin = performance.now();
    await until("the nodes of the failed job are ready", async () => {
      const { nodes } = await cluster.status();
      return nodes.filter(({ nodeId }) => restarted.includes(nodeId)).every(({ state }) => state === "READY");
    });
    const restartMs = performance.now() - begin;
    const after = await cluster.containers();
    quietInputs.release();
    const kept = before.filter(({ nodeId, id }) => !restarted.includes(nodeId) && idsOf(after).includes(id));
    const gone = before.filter(({ nodeId, id }) => restarted.includes(nodeId) && !idsOf(after).includes(id));
    assert.equal(gone.length, before.filter(({ nodeId }) => restarted.includes(nodeId)).length, "each of its containers was replaced");
    assert.equal(kept.length, before.length - gone.length, "no other was");
    assertEachOnce((await quietEnds).map(([x]) => x), 100);
    return { restarted, replaced: gone.length, kept: kept.length, restartMs: roundMs(restartMs) };
  },
};

const nested: Scenario = {
  name: "functions in containers start jobs of their own",
  run: async (cluster) => {
    await cluster.ready();
    const begin = performance.now();
    const sums = await remoteParallelMap(async (x: number) => {
      const parts = await remoteParallelMap((y: number) => y * x, [1, 2, 3]).toArray();
      return parts.reduce((sum, part) => sum + part, 0);
    }, numbers(12), { order: "input" }).toArray();
    const ms = performance.now() - begin;
    assert.deepEqual(sums, numbers(12).map((x) => 6 * x));
    const { error } = await drain(remoteParallelMap(async (x: number) => remoteParallelMap((y: number) => { if (y === 2) throw new RangeError(`bad ${x}`); return y; }, [1, 2]).toArray(), [7]));
    assert.match(String(error), /bad 7/);
    const tokens = await remoteParallelMap(async () => {
      const { request } = await import("node:http");
      const socketPath = decodeURIComponent(new URL(process.env["BURLA_URL"] ?? "").hostname);
      const ask = (path: string, token: string) => new Promise<number>((resolve, reject) => {
        request({ socketPath, path, headers: { authorization: `Bearer ${token}` } }, (response) => { response.resume(); resolve(response.statusCode ?? 0); }).on("error", reject).end();
      });
      return Promise.all([ask("/v1/status", process.env["BURLA_JOB_TOKEN"] ?? ""), ask("/v1/connect", "another")]);
    }, [0]).toArray();
    assert.deepEqual(tokens, [[403, 403]], "the socket is for jobs only");
    return { inputs: 12, nestedJobs: 12, ms: roundMs(ms) };
  },
};

/** Resolves with the nodes of a job when there are so many. */
async function nodesAtWork(cluster: DockerCluster, jobId: string, count: number): Promise<string[]> {
  return until(`the job has ${count} nodes`, async () => {
    const { nodes } = await cluster.status();
    const busy = nodes.filter((node) => node.jobs.includes(jobId)).map(({ nodeId }) => nodeId);
    return busy.length === count ? busy : null;
  });
}

function idsOf(containers: readonly SeenContainer[]): string[] {
  return containers.map(({ id }) => id);
}

export const LIFE: readonly Scenario[] = [warmStart, twoJobs, replaced, userError, nested];
