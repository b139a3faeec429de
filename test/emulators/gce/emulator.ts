/** Compute Engine on this machine, for tests: see README.md for what it covers. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import type { Server } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkRequestId } from "./bodies.ts";
import { Quotas } from "./catalogue.ts";
import { Faults } from "./faults.ts";
import { ApiError, close, listen, type Answer, type Call } from "./http.ts";
import { Instances, type Instance } from "./instances.ts";
import { MetadataServer } from "./metadata-server.ts";
import { Operations } from "./operations.ts";
import { createRoutes, type ProjectState } from "./routes.ts";
import { processesWith, type ClusterProcess } from "../../support/processes.ts";
import { Tokens } from "./tokens.ts";
import { MARK } from "./vm.ts";

const KEEPER = fileURLToPath(new URL("./keeper.sh", import.meta.url));
/** Low third bytes of 127.x are what other programs may use. */
const FIRST_BYTE = 32;

export interface EmulatorOptions {
  readonly project?: string;
  readonly zones?: readonly string[];
  /** Of each quota, in each region. */
  readonly quotaCpus?: number;
  readonly operationMs?: number;
  readonly bootMs?: number;
  readonly stopGraceMs?: number;
  readonly preemptionMs?: number;
  readonly environment?: (instance: { name: string; directory: string }) => Record<string, string>;
}

export class GceEmulator {
  readonly project: string;
  readonly zones: readonly string[];
  readonly faults = new Faults();
  readonly quotas: Quotas;
  readonly state: ProjectState;
  readonly #mark = `emulator-${randomBytes(6).toString("hex")}`;
  readonly #root = mkdtempSync(join(tmpdir(), "burla-gce-"));
  readonly #tokens = new Tokens();
  readonly #kept = new Map<string, object>();
  readonly #operations: Operations;
  readonly #instances: Instances;
  readonly #route;
  /** Answers of requests that had an id: the same id again gets the same operation. */
  readonly #byRequestId = new Map<string, unknown>();
  readonly #keeper: ChildProcess;
  readonly #network = `127.${randomInt(FIRST_BYTE, 250)}`;
  #lastAddress = 0;
  #server: Server | undefined;
  #workstation: MetadataServer | undefined;
  readonly #others: MetadataServer[] = [];
  readonly #requests: Pick<Call, "method" | "path" | "headers">[] = [];
  #url = "";

  private constructor({ project = "demo-project", zones = ["us-central1-a", "us-central1-b", "europe-west4-a"], quotaCpus = 64, operationMs = 60, bootMs = 100, stopGraceMs = 3_000, preemptionMs = 30_000, environment = () => ({}) }: EmulatorOptions) {
    this.project = project;
    this.zones = zones;
    this.quotas = new Quotas(quotaCpus);
    this.state = {
      enabledServices: new Set(["compute", "iam", "cloudresourcemanager", "firestore"].map((name) => `${name}.googleapis.com`)),
      databases: new Set(["(default)"]),
      serviceAccounts: new Set(["burla-main", "burla-node"].map((name) => `${name}@${project}.iam.gserviceaccount.com`)),
      subnetworks: new Set(),
      denied: new Set(),
      asked: new Set(),
    };
    this.#operations = new Operations(operationMs, () => this.#url);
    const link = (owner: string, path: string) => `${this.#url}/compute/v1/projects/${owner}/${path}`;
    this.#instances = new Instances({
      mark: this.#mark, root: this.#root, zones, bootMs, stopGraceMs, preemptionMs, link, environment,
      operations: this.#operations, quotas: this.quotas, faults: this.faults, tokens: this.#tokens, nextAddress: () => this.#nextAddress(),
    });
    this.#route = createRoutes({ instances: this.#instances, operations: this.#operations, quotas: this.quotas, zones, state: this.state, kept: this.#kept, link });
    this.#keeper = spawn("/bin/bash", [KEEPER, this.#mark, this.#root], { detached: true, stdio: ["pipe", "ignore", "ignore"], cwd: "/" });
    this.#keeper.unref();
  }

  static async start(options: EmulatorOptions = {}): Promise<GceEmulator> {
    const emulator = new GceEmulator(options);
    const { server, url } = await listen("127.0.0.1", (call) => emulator.#answer(call));
    emulator.#server = server;
    emulator.#url = url;
    emulator.#workstation = await MetadataServer.start(emulator.#user(), emulator.#tokens);
    return emulator;
  }

  get url(): string {
    return this.#url;
  }

  /** For programs that take it for Google: credentials of a user come from a metadata server, and nothing leaves the machine. */
  get environment(): Record<string, string> {
    return { BURLA_GCE_ENDPOINT: this.#url, GCE_METADATA_HOST: this.#workstation?.host ?? "", METADATA_SERVER_DETECTION: "assume-present", GOOGLE_CLOUD_PROJECT: this.project };
  }

  /** As `environment`, for programs of another account of the project. Closed with the emulator. */
  async environmentOf(email: string): Promise<Record<string, string>> {
    const server = await MetadataServer.start(this.#user(email), this.#tokens);
    this.#others.push(server);
    return { ...this.environment, GCE_METADATA_HOST: server.host };
  }

  /** Requests since the start, oldest first. */
  get requests(): readonly Pick<Call, "method" | "path" | "headers">[] {
    return this.#requests;
  }

  get instances(): Instance[] {
    return this.#instances.all();
  }

  /** All that runs on its VMs. */
  get processes(): ClusterProcess[] {
    return processesWith(`${MARK}=${this.#mark}/`);
  }

  /** Everything that exists, by its path. */
  get resources(): string[] {
    return [...this.instances.map(({ project, zone, resource }) => `${project}/zones/${zone}/instances/${resource.name}`), ...this.#kept.keys()];
  }

  find(name: string): Instance {
    const found = this.instances.find(({ resource }) => resource.name === name);
    if (found === undefined) throw new Error(`there is no instance ${name}`);
    return found;
  }

  /** Resolves when the VM is off. */
  preempt(name: string): Promise<void> {
    return this.#instances.preempt(this.find(name));
  }

  /** As somebody does in the console. Resolves when the VM is off. */
  switchOff(name: string): Promise<void> {
    return this.#instances.switchOff(this.find(name));
  }

  async close(): Promise<void> {
    await this.#instances.close();
    await this.#workstation?.close();
    await Promise.all(this.#others.map((server) => server.close()));
    if (this.#server !== undefined) await close(this.#server);
    this.#keeper.ref();
    const gone = new Promise((resolve) => this.#keeper.once("exit", resolve));
    this.#keeper.stdin?.end();
    await gone;
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Who runs the tests: has a metadata server as a Cloud Shell has, which is where credentials come from. */
  #user(email = "tester@example.com") {
    return {
      project: this.project, zone: this.zones[0] ?? "", address: "127.0.0.1", isPreempted: false, guestAttributes: new Map<string, string>(),
      resource: { id: "1", name: "workstation", serviceAccounts: [{ email }] },
    };
  }

  #nextAddress(): string {
    const number = ++this.#lastAddress + 1;
    return `${this.#network}.${Math.floor(number / 200) + 1}.${(number % 200) + 2}`;
  }

  async #answer(call: Call): Promise<Answer | null> {
    if (call.path === "/oauth2/v3/certs") return { body: this.#tokens.jwks(), headers: { "cache-control": "max-age=3600" } };
    if (call.path === "/oauth2/v1/certs") return { body: this.#tokens.pems(), headers: { "cache-control": "max-age=3600" } };
    const account = this.#tokens.accountOf(call.headers.authorization);
    if (account === undefined) {
      throw new ApiError(401, "required", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "UNAUTHENTICATED");
    }
    this.#requests.push({ method: call.method, path: call.path, headers: call.headers });
    const fault = this.faults.take("any", /\/zones\/([^/]+)/.exec(call.path)?.[1] ?? null);
    if (fault?.shape === "request") throw new ApiError(fault.httpCode, fault.code, fault.message);
    const body = await this.#once(call, () => this.#route({ ...call, account }));
    // The request has done its work; only its answer is lost.
    return fault?.shape === "cut" ? null : { body };
  }

  async #once({ method, path, query }: Call, act: () => unknown): Promise<unknown> {
    const requestId = query.get("requestId");
    checkRequestId(requestId);
    if (requestId === null) return act();
    const key = `${method} ${path} ${requestId}`;
    if (!this.#byRequestId.has(key)) this.#byRequestId.set(key, await act());
    return this.#byRequestId.get(key);
  }
}
