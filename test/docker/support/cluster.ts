/** A cluster whose workers are containers, seen from both sides: by its own status, and by the engine. */
import Docker from "dockerode";
import { join } from "node:path";
import { parseClusterSpec, type ClusterSpec, type ClusterStatus } from "@burla/protocol";
import { storeSpec } from "../../../client/src/spec-file.ts";
import { LABELS, spaceOf } from "../../../services/node/src/containers/docker/names.ts";
import { TestCluster } from "../../support/cluster.ts";
import { until } from "./until.ts";

/** A container of the cluster, by its labels. */
export interface SeenContainer {
  readonly id: string;
  readonly nodeId: string;
  readonly workerId: string;
  readonly image: string;
}

export class DockerCluster extends TestCluster {
  readonly docker = new Docker();
  readonly spec: ClusterSpec;

  /** @param spec as people write it, without the runtime. */
  constructor({ containers, ...spec }: { containers?: object; groups: object[] }) {
    super();
    this.spec = parseClusterSpec({ ...spec, containers: { ...containers, runtime: "docker" } });
    storeSpec(this.directory, this.spec);
  }

  override async ready(): Promise<void> {
    await until("all nodes are ready", async () => {
      const { nodes } = await this.status();
      return nodes.length > 0 && nodes.every(({ state }) => state === "READY");
    });
  }

  /** Containers of all nodes, ended ones too. */
  async containers(): Promise<SeenContainer[]> {
    const ids = this.spec.groups.flatMap(({ name, count }) => Array.from({ length: count }, (_, at) => `${name}-${at + 1}`));
    const found = await Promise.all(ids.map((nodeId) => this.#containersOf(nodeId)));
    return found.flat();
  }

  async #containersOf(nodeId: string): Promise<SeenContainer[]> {
    const space = spaceOf(join(this.directory, "nodes", nodeId));
    const listed = await this.docker.listContainers({ all: true, filters: { label: [`${LABELS.space}=${space}`] } });
    return listed.map(({ Id, Image, Labels }) => ({ id: Id, nodeId: Labels[LABELS.node] ?? "", workerId: Labels[LABELS.worker] ?? "", image: Image }));
  }

  /** Resolves with the node that has got into a state for which this holds. */
  async untilNode(what: string, holds: (node: ClusterStatus["nodes"][number]) => boolean): Promise<ClusterStatus["nodes"][number]> {
    return until(what, async () => (await this.status()).nodes.find(holds));
  }

  /** Time until all nodes have their fresh containers and no job. */
  async timeToReady(): Promise<number> {
    const begin = performance.now();
    await this.ready();
    return performance.now() - begin;
  }
}
