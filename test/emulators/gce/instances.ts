/** The life of instances: PROVISIONING -> STAGING -> RUNNING -> STOPPING -> TERMINATED, or gone. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { MACHINE_TYPES, machineTypeIn, metricOf, regionOf, type Quotas } from "./catalogue.ts";
import type { Faults } from "./faults.ts";
import { ApiError, notFound } from "./http.ts";
import { MetadataServer } from "./metadata-server.ts";
import { now, OperationFailure, pause, type OperationResource, type Operations } from "./operations.ts";
import type { Tokens } from "./tokens.ts";
import { Vm } from "./vm.ts";

export type Status = "PROVISIONING" | "STAGING" | "RUNNING" | "STOPPING" | "TERMINATED";

export interface InstanceBody {
  readonly name: string;
  readonly machineType: string;
  readonly labels?: Record<string, string>;
  readonly tags?: { items?: string[] };
  readonly scheduling?: { provisioningModel?: string; instanceTerminationAction?: string };
  readonly serviceAccounts?: { email: string }[];
  readonly metadata?: { items?: { key: string; value: string }[] };
  readonly [key: string]: unknown;
}

export interface InstanceResource extends InstanceBody {
  readonly id: string;
  readonly zone: string;
  readonly creationTimestamp: string;
  readonly selfLink: string;
  status: Status;
}

export interface Instance {
  readonly project: string;
  readonly zone: string;
  readonly resource: InstanceResource;
  readonly address: string;
  readonly guestAttributes: Map<string, string>;
  readonly vm: Vm;
  metadata: MetadataServer | null;
  isPreempted: boolean;
}

export interface InstancesOptions {
  readonly mark: string;
  readonly root: string;
  readonly zones: readonly string[];
  readonly bootMs: number;
  readonly stopGraceMs: number;
  readonly preemptionMs: number;
  readonly operations: Operations;
  readonly quotas: Quotas;
  readonly faults: Faults;
  readonly tokens: Tokens;
  readonly nextAddress: () => string;
  readonly link: (project: string, path: string) => string;
  /** Variables of the processes of a VM, beside those that it needs. */
  readonly environment: (instance: { name: string; directory: string }) => Record<string, string>;
}

const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL = /^[a-z0-9_-]{0,63}$/;
const MAX_METADATA_VALUE = 256 * 1024;
const MAX_METADATA = 512 * 1024;

export class Instances {
  readonly #options: InstancesOptions;
  readonly #instances = new Map<string, Instance>();
  #lastId = 0n;

  constructor(options: InstancesOptions) {
    this.#options = options;
  }

  all(project?: string): Instance[] {
    return [...this.#instances.values()].filter((instance) => project === undefined || instance.project === project);
  }

  get(project: string, zone: string, name: string): Instance {
    const found = this.#instances.get(`${project}/${zone}/${name}`);
    if (found === undefined) throw notFound(`projects/${project}/zones/${zone}/instances/${name}`);
    return found;
  }

  insert(project: string, zone: string, body: InstanceBody, user: string): OperationResource {
    const { operations, link, faults, nextAddress, mark, root, environment } = this.#options;
    this.#checkBody(body);
    const key = `${project}/${zone}/${body.name}`;
    const path = `zones/${zone}/instances/${body.name}`;
    if (this.#instances.has(key)) throw new ApiError(409, "alreadyExists", `The resource 'projects/${project}/${path}' already exists`);
    const fault = faults.take("insert", zone);
    if (fault?.shape === "request") throw new ApiError(fault.httpCode, fault.code, fault.message);
    const address = nextAddress();
    const id = String(2n ** 61n + ++this.#lastId);
    const resource: InstanceResource = {
      kind: "compute#instance", ...body, id, status: "PROVISIONING", creationTimestamp: now(),
      zone: link(project, `zones/${zone}`), selfLink: link(project, path), machineType: link(project, `zones/${zone}/machineTypes/${machineTypeIn(body.machineType)}`),
      networkInterfaces: [{ ...interfaceOf(body), name: "nic0", networkIP: address, ...(hasAccess(body) && { accessConfigs: [{ type: "ONE_TO_ONE_NAT", natIP: address }] }) }],
      fingerprint: randomBytes(8).toString("base64"),
    };
    const directory = join(root, id);
    const vm = new Vm({ mark: `${mark}/${body.name}`, directory, environment: environment({ name: body.name, directory }) });
    const instance: Instance = { project, zone, resource, address, guestAttributes: new Map(), vm, metadata: null, isPreempted: false };
    const overQuota = this.#overQuota(instance);
    this.#instances.set(key, instance);
    return operations.begin({
      project, zone, user, type: "insert", targetLink: resource.selfLink,
      work: () => {
        const failure = fault !== null ? new OperationFailure(fault.code, fault.message, fault.httpCode, fault.httpMessage) : (faults.refusal(zone, isSpot(resource)) ?? overQuota);
        if (failure !== null) {
          this.#forget(instance);
          throw failure;
        }
        void this.#boot(instance);
      },
    });
  }

  delete(project: string, zone: string, name: string, user: string): OperationResource {
    const instance = this.get(project, zone, name);
    const work = async () => {
      instance.resource.status = "STOPPING";
      await instance.vm.stop(this.#options.stopGraceMs);
      await this.#remove(instance);
    };
    return this.#options.operations.begin({ project, zone, user, type: "delete", targetLink: instance.resource.selfLink, work });
  }

  stop(project: string, zone: string, name: string, user: string): OperationResource {
    const instance = this.get(project, zone, name);
    const work = () => this.#halt(instance, this.#options.stopGraceMs);
    return this.#options.operations.begin({ project, zone, user, type: "stop", targetLink: instance.resource.selfLink, work });
  }

  start(project: string, zone: string, name: string, user: string): OperationResource {
    const instance = this.get(project, zone, name);
    const work = () => {
      const refusal = this.#options.faults.refusal(zone, isSpot(instance.resource));
      if (refusal !== null) throw refusal;
      if (instance.resource.status === "TERMINATED") void this.#boot(instance);
    };
    return this.#options.operations.begin({ project, zone, user, type: "start", targetLink: instance.resource.selfLink, work });
  }

  /** Google takes it back: the VM is told, shut down, and after the grace switched off. Resolves when it is. */
  async preempt(instance: Instance): Promise<void> {
    instance.isPreempted = true;
    instance.metadata?.changed();
    instance.resource.status = "STOPPING";
    await instance.vm.stop(this.#options.preemptionMs);
    if (instance.resource.scheduling?.instanceTerminationAction === "DELETE") await this.#remove(instance);
    else instance.resource.status = "TERMINATED";
  }

  /** As somebody does in the console. Resolves when it is off. */
  switchOff(instance: Instance): Promise<void> {
    return this.#halt(instance, this.#options.stopGraceMs);
  }

  /** CPUs in use of one quota. */
  usage(project: string, region: string, metric: string): number {
    const counted = this.all(project).filter(({ zone, resource }) => regionOf(zone) === region && resource.status !== "TERMINATED" && metricOfResource(resource) === metric);
    return counted.reduce((sum, { resource }) => sum + cpusOf(resource), 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((instance) => this.#remove(instance)));
  }

  async #boot(instance: Instance): Promise<void> {
    const { bootMs, tokens } = this.#options;
    instance.resource.status = "STAGING";
    instance.isPreempted = false;
    await pause(bootMs);
    if (instance.resource.status !== "STAGING" || !this.#isThere(instance)) return;
    instance.metadata ??= await MetadataServer.start(instance, tokens);
    instance.resource.status = "RUNNING";
    const script = instance.resource.metadata?.items?.find(({ key }) => key === "startup-script")?.value;
    if (script !== undefined) instance.vm.start(`export GCE_METADATA_HOST=${instance.metadata.host}\n${script}`);
  }

  async #halt(instance: Instance, graceMs: number): Promise<void> {
    instance.resource.status = "STOPPING";
    await instance.vm.stop(graceMs);
    instance.resource.status = "TERMINATED";
  }

  async #remove(instance: Instance): Promise<void> {
    instance.resource.status = "STOPPING";
    await instance.vm.kill();
    await instance.metadata?.close();
    instance.vm.remove();
    this.#forget(instance);
  }

  #forget({ project, zone, resource }: Instance): void {
    this.#instances.delete(`${project}/${zone}/${resource.name}`);
  }

  #isThere(instance: Instance): boolean {
    return this.#instances.get(`${instance.project}/${instance.zone}/${instance.resource.name}`) === instance;
  }

  #overQuota({ project, zone, resource }: Instance): OperationFailure | null {
    const metric = metricOfResource(resource);
    const region = regionOf(zone);
    const limit = this.#options.quotas.limit(region, metric);
    if (this.usage(project, region, metric) + cpusOf(resource) <= limit) return null;
    return new OperationFailure("QUOTA_EXCEEDED", `Quota '${metric}' exceeded.  Limit: ${limit}.0 in region ${region}.`, 403, "FORBIDDEN");
  }

  #checkBody({ name, labels = {}, metadata }: InstanceBody): void {
    if (!NAME.test(name)) throw new ApiError(400, "invalid", `Invalid value for field 'resource.name': '${name}'. Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'`);
    for (const [key, value] of Object.entries(labels)) {
      if (!LABEL.test(key) || !LABEL.test(value)) throw new ApiError(400, "invalid", `Invalid value for field 'resource.labels': '${value}'.`);
    }
    const long = metadata?.items?.find(({ value }) => Buffer.byteLength(value) > MAX_METADATA_VALUE);
    if (long !== undefined) throw new ApiError(413, "uploadTooLarge", `Value for metadata key '${long.key}' is too large.`);
    const bytes = (metadata?.items ?? []).reduce((sum, { key, value }) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
    if (bytes > MAX_METADATA) throw new ApiError(413, "uploadTooLarge", `The total size of the metadata is ${bytes} bytes, more than ${MAX_METADATA}.`);
  }
}

const interfaceOf = ({ networkInterfaces }: InstanceBody) => (networkInterfaces as { network?: string; subnetwork?: string; accessConfigs?: object[] }[] | undefined)?.[0] ?? {};
const hasAccess = (body: InstanceBody) => (interfaceOf(body).accessConfigs?.length ?? 0) > 0;

export const isSpot = ({ scheduling }: InstanceBody) => scheduling?.provisioningModel === "SPOT";

const typeOf = ({ machineType }: InstanceBody) => machineType.split("/").pop() ?? "";
const cpusOf = (resource: InstanceBody) => MACHINE_TYPES[typeOf(resource)]?.cpus ?? 0;
const metricOfResource = (resource: InstanceBody) => metricOf(typeOf(resource), isSpot(resource));
