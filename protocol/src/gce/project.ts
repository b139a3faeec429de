/** A project of Google Cloud: who we are there, what is switched on, what we may do. */
import * as v from "valibot";
import clients from "./clients.cjs";
import { Compute } from "./compute.ts";
import { classify, GceError } from "./failure.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const TIMEOUT_MS = 30_000;

export interface ProjectOptions {
  /** Null: the one that the credentials name. */
  readonly project: string | null;
  /** Another API than Google's, for all services. */
  readonly endpoint: string | null;
}

export class GoogleProject {
  readonly id: string;
  readonly compute: Compute;
  readonly #auth;
  readonly #endpoint: string | null;

  private constructor(id: string, auth: InstanceType<typeof clients.GoogleAuth>, endpoint: string | null) {
    this.id = id;
    this.#auth = auth;
    this.#endpoint = endpoint;
    this.compute = new Compute({ project: id, auth, endpoint });
  }

  /** @throws Error of the authentication library when there are no credentials, or no project is named. */
  static async open({ project, endpoint }: ProjectOptions): Promise<GoogleProject> {
    const auth = new clients.GoogleAuth({ scopes: [SCOPE], ...(project !== null && { projectId: project }) });
    await auth.getAccessToken();
    return new GoogleProject(project ?? (await auth.getProjectId()), auth, endpoint);
  }

  /** Those of the permissions that whoever asks has. */
  async permissions(wanted: readonly string[]): Promise<string[]> {
    const answer = await this.#request("cloudresourcemanager", `/v1/projects/${this.id}:testIamPermissions`, { permissions: wanted });
    return v.parse(v.object({ permissions: v.optional(v.array(v.string()), []) }), answer).permissions;
  }

  async isEnabled(service: string): Promise<boolean> {
    const answer = await this.#request("serviceusage", `/v1/projects/${this.id}/services/${service}`);
    return v.parse(v.object({ state: v.string() }), answer).state === "ENABLED";
  }

  /** Quotas of the project as a whole, beside those of its regions. */
  async globalQuotas(): Promise<{ metric: string; limit: number; usage: number }[]> {
    const answer = await this.#request("compute", `/compute/v1/projects/${this.id}`);
    const quota = v.object({ metric: v.string(), limit: v.number(), usage: v.optional(v.number(), 0) });
    return v.parse(v.object({ quotas: v.optional(v.array(quota), []) }), answer).quotas;
  }

  /** @returns null where the region has none of that name. */
  async subnetwork(region: string, name: string): Promise<{ readonly reachesGoogle: boolean } | null> {
    try {
      const answer = await this.#request("compute", `/compute/v1/projects/${this.id}/regions/${region}/subnetworks/${name}`);
      return { reachesGoogle: v.parse(v.object({ privateIpGoogleAccess: v.optional(v.boolean(), false) }), answer).privateIpGoogleAccess };
    } catch (error) {
      if (error instanceof GceError && error.kind === "not-found") return null;
      throw error;
    }
  }

  async hasServiceAccount(email: string): Promise<boolean> {
    return this.#has("iam", `/v1/projects/${this.id}/serviceAccounts/${email}`);
  }

  /** Of Firestore, perhaps in another project. */
  hasDatabase(project: string, database: string): Promise<boolean> {
    return this.#has("firestore", `/v1/projects/${project}/databases/${database}`);
  }

  async #has(service: string, path: string): Promise<boolean> {
    try {
      await this.#request(service, path);
      return true;
    } catch (error) {
      if (error instanceof GceError && error.kind === "not-found") return false;
      throw error;
    }
  }

  /** Whether whoever asks may make VMs that run as this account. */
  async mayActAs(email: string): Promise<boolean> {
    const permission = "iam.serviceAccounts.actAs";
    const answer = await this.#request("iam", `/v1/projects/${this.id}/serviceAccounts/${email}:testIamPermissions`, { permissions: [permission] });
    return v.parse(v.object({ permissions: v.optional(v.array(v.string()), []) }), answer).permissions.includes(permission);
  }

  async #request(service: string, path: string, body?: object): Promise<unknown> {
    const url = `${this.#endpoint ?? `https://${service}.googleapis.com`}${path}`;
    // With the project that pays for requests of a person: without it these services refuse a user's credentials.
    const headers = new Headers(await this.#auth.getRequestHeaders(url));
    headers.set("content-type", "application/json");
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new GceError({ kind: "transient", message: `${service}.googleapis.com cannot be reached` }, cause);
    });
    if (response.ok) return response.json();
    const answer = (await response.json().catch(() => null)) as { error?: { message?: string; errors?: { reason?: string }[] } } | null;
    throw new GceError(classify({ httpCode: response.status, reasons: (answer?.error?.errors ?? []).flatMap(({ reason }) => reason ?? []), message: answer?.error?.message ?? `HTTP ${response.status}` }));
  }
}
