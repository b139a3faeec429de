/** Compute Engine as far as a cluster needs it: each call once, with its failures in kinds. When to try again is the caller's. */
import clients from "./clients.cjs";
import type { ClientOptions, Firewall, GoogleAuth, InstanceRecord, Operation } from "./clients.cjs";
import { classify, failureOfCall, GceError } from "./failure.ts";
import { CLUSTER_LABEL, GROUP_LABEL, ROLE_LABEL, vmName } from "./names.ts";

export interface ComputeOptions {
  readonly project: string;
  readonly auth: GoogleAuth;
  /** Another API than Google's, such as `http://127.0.0.1:8190`. */
  readonly endpoint: string | null;
}

/** A VM of a cluster, as the API lists it. */
export interface InstanceView {
  readonly name: string;
  readonly zone: string;
  /** Such as RUNNING or TERMINATED. */
  readonly status: string;
  readonly role: string;
  readonly group: string;
  readonly isSpot: boolean;
  /** Unix ms. */
  readonly createdAt: number;
  readonly internalAddress: string;
  readonly externalAddress: string;
}

export interface QuotaView {
  readonly metric: string;
  readonly limit: number;
  readonly usage: number;
}

/** Without it the client warns that it will do as it is told. A new one for each call: the client writes into it. */
const pages = (headers: Record<string, string> = {}) => ({ autoPaginate: false, otherArgs: { headers } });
/** What `viewOf` reads: a whole instance is 10 KB, with the start-up script and all else of its metadata. */
const VM_FIELDS = ["name", "zone", "status", "labels", "creationTimestamp", "scheduling.provisioningModel", "networkInterfaces.networkIP", "networkInterfaces.accessConfigs.natIP"];
const VM_MASK = ["nextPageToken", ...VM_FIELDS.map((field) => `items.*.instances.${field}`)].join(",");

export class Compute {
  readonly #project: string;
  readonly #instances;
  readonly #firewalls;
  readonly #regions;
  readonly #zoneOperations;
  readonly #globalOperations;

  /** Without credentials calls of the clients never settle: make `auth` give a token first (`GoogleProject.open`). */
  constructor({ project, auth, endpoint }: ComputeOptions) {
    const options: ClientOptions = { auth, ...(endpoint !== null && endpointOptions(endpoint)) };
    this.#project = project;
    this.#instances = new clients.InstancesClient(options);
    this.#firewalls = new clients.FirewallsClient(options);
    this.#regions = new clients.RegionsClient(options);
    this.#zoneOperations = new clients.ZoneOperationsClient(options);
    this.#globalOperations = new clients.GlobalOperationsClient(options);
  }

  /** Resolves when the VM runs; the same `requestId` again waits for the same VM. @throws GceError; this holds for all methods. */
  async insertVm(zone: string, instanceResource: object, requestId: string): Promise<void> {
    const [started] = await guarded(this.#instances.insert({ project: this.#project, zone, requestId, instanceResource }));
    await this.#untilDone(started.latestResponse, zone);
  }

  /** Resolves when nothing is left of it. */
  async deleteVm(zone: string, name: string, requestId: string): Promise<void> {
    const [started] = await guarded(this.#instances.delete({ project: this.#project, zone, instance: name, requestId }));
    await this.#untilDone(started.latestResponse, zone);
  }

  /** Power off, and on again. */
  async resetVm(zone: string, name: string, requestId: string): Promise<void> {
    const [started] = await guarded(this.#instances.reset({ project: this.#project, zone, instance: name, requestId }));
    await this.#untilDone(started.latestResponse, zone);
  }

  /** One that is off, on its old disk. It gets another external address. */
  async startVm(zone: string, name: string, requestId: string): Promise<void> {
    const [started] = await guarded(this.#instances.start({ project: this.#project, zone, instance: name, requestId }));
    await this.#untilDone(started.latestResponse, zone);
  }

  /** What it has printed since it was last switched on: at most the last megabyte. */
  async serialOutput(zone: string, name: string): Promise<string> {
    const [{ contents }] = await guarded(this.#instances.getSerialPortOutput({ project: this.#project, zone, instance: name, port: 1 }));
    return contents ?? "";
  }

  async getVm(zone: string, name: string): Promise<InstanceView> {
    const [record] = await guarded(this.#instances.get({ project: this.#project, zone, instance: name }));
    return viewOf(record);
  }

  /** All VMs that carry the cluster's label, in every zone. */
  async listVms(cluster: string): Promise<InstanceView[]> {
    const found: InstanceView[] = [];
    try {
      for await (const [, { instances }] of this.#instances.aggregatedListAsync({ project: this.#project, filter: `labels.${CLUSTER_LABEL}=${cluster}` }, pages({ "x-goog-fieldmask": VM_MASK }))) {
        found.push(...(instances ?? []).map(viewOf));
      }
    } catch (error) {
      throw failureOfCall(error);
    }
    return found;
  }

  /** What a VM has said of itself; null as long as it has not. */
  async guestAttribute(zone: string, name: string, queryPath: string): Promise<string | null> {
    try {
      const [{ queryValue }] = await guarded(this.#instances.getGuestAttributes({ project: this.#project, zone, instance: name, queryPath }));
      return queryValue?.items?.[0]?.value ?? null;
    } catch (error) {
      if (error instanceof GceError && error.kind === "not-found") return null;
      throw error;
    }
  }

  async insertFirewall(firewallResource: Firewall, requestId: string): Promise<void> {
    const [started] = await guarded(this.#firewalls.insert({ project: this.#project, requestId, firewallResource }));
    await this.#untilDone(started.latestResponse, null);
  }

  async deleteFirewall(firewall: string, requestId: string): Promise<void> {
    const [started] = await guarded(this.#firewalls.delete({ project: this.#project, firewall, requestId }));
    await this.#untilDone(started.latestResponse, null);
  }

  /** Names of the cluster's firewall rules. */
  async listFirewalls(cluster: string): Promise<string[]> {
    const names: string[] = [];
    const own = new RegExp(`^${vmName(cluster, "")}(clients|nodes)$`);
    try {
      for await (const { name } of this.#firewalls.listAsync({ project: this.#project, filter: `name eq "${vmName(cluster, "")}.*"` }, pages())) {
        if (name != null && own.test(name)) names.push(name);
      }
    } catch (error) {
      throw failureOfCall(error);
    }
    return names;
  }

  async quotas(region: string): Promise<QuotaView[]> {
    const [{ quotas }] = await guarded(this.#regions.get({ project: this.#project, region }));
    return (quotas ?? []).map(({ metric, limit, usage }) => ({ metric: metric ?? "", limit: limit ?? 0, usage: usage ?? 0 }));
  }

  /** `wait` answers after two minutes at the latest, whether the operation is done or not. */
  async #untilDone(operation: Operation, zone: string | null): Promise<void> {
    const project = this.#project;
    let latest = operation;
    while (latest.status !== "DONE") {
      const name = latest.name ?? "";
      [latest] = await guarded(zone === null ? this.#globalOperations.wait({ project, operation: name }) : this.#zoneOperations.wait({ project, zone, operation: name }));
    }
    const [first] = latest.error?.errors ?? [];
    if (first === undefined) return;
    const reasons = (latest.error?.errors ?? []).map(({ code }) => code ?? "");
    const failure = classify({ httpCode: latest.httpErrorStatusCode ?? null, reasons, message: first.message || latest.httpErrorMessage || reasons.join(", ") });
    throw new GceError({ ...failure, isOfOperation: true });
  }
}

async function guarded<Value>(call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    throw failureOfCall(error);
  }
}

function endpointOptions(endpoint: string): ClientOptions {
  const { hostname, port, protocol } = new URL(endpoint);
  return { apiEndpoint: hostname, port: Number(port), protocol: protocol.replace(":", "") };
}

function viewOf(record: InstanceRecord): InstanceView {
  const { labels, networkInterfaces } = record;
  const [network] = networkInterfaces ?? [];
  return {
    name: record.name ?? "",
    zone: record.zone?.split("/").pop() ?? "",
    status: record.status ?? "",
    role: labels?.[ROLE_LABEL] ?? "",
    group: labels?.[GROUP_LABEL] ?? "",
    isSpot: record.scheduling?.provisioningModel === "SPOT",
    createdAt: Date.parse(record.creationTimestamp ?? "") || 0,
    internalAddress: network?.networkIP ?? "",
    externalAddress: network?.accessConfigs?.[0]?.natIP ?? "",
  };
}
