/** The metadata server of one VM, on the VM's own address. */
import type { Server } from "node:http";
import { close, listen, type Answer, type Call } from "./http.ts";
import type { Tokens } from "./tokens.ts";

const FLAVOR = { "Metadata-Flavor": "Google" };
const ROOT = "/computeMetadata/v1/";
const DEFAULT_WAIT_S = 60;

/** As much of an instance as it is told about. */
export interface Subject {
  readonly project: string;
  readonly zone: string;
  readonly address: string;
  readonly isPreempted: boolean;
  readonly guestAttributes: Map<string, string>;
  readonly resource: {
    readonly id: string;
    readonly name: string;
    readonly serviceAccounts?: readonly { email: string }[];
    readonly metadata?: { items?: { key: string; value: string }[] };
  };
}

export class MetadataServer {
  readonly #subject: Subject;
  readonly #tokens: Tokens;
  readonly #waiting = new Set<() => void>();
  #server: Server | undefined;
  #url = "";

  private constructor(subject: Subject, tokens: Tokens) {
    this.#subject = subject;
    this.#tokens = tokens;
  }

  static async start(subject: Subject, tokens: Tokens): Promise<MetadataServer> {
    const created = new MetadataServer(subject, tokens);
    const { server, url } = await listen(subject.address, (call) => created.#answer(call));
    created.#server = server;
    created.#url = url;
    return created;
  }

  /** For GCE_METADATA_HOST. */
  get host(): string {
    return new URL(this.#url).host;
  }

  /** Something that is waited for may have changed. */
  changed(): void {
    for (const wake of this.#waiting) wake();
  }

  async close(): Promise<void> {
    this.changed();
    if (this.#server !== undefined) await close(this.#server);
  }

  async #answer({ method, path, query, headers, body }: Call): Promise<Answer> {
    if (path === "/") return { headers: FLAVOR, body: "computeMetadata/\n" };
    if (headers["metadata-flavor"] !== "Google") return { status: 403, body: "Missing Metadata-Flavor:Google header." };
    const key = path.startsWith(ROOT) ? path.slice(ROOT.length).replace(/\/$/, "") : "";
    if (method === "PUT") return this.#put(key, body);
    if (query.get("wait_for_change") === "true") await this.#change(key, query);
    const value = this.#value(key, query);
    if (value === undefined) return { status: 404, headers: FLAVOR, body: "not found" };
    return { headers: { ...FLAVOR, "content-type": typeof value === "string" ? "application/text" : "application/json" }, body: value };
  }

  #put(key: string, body: string): Answer {
    const name = /^instance\/guest-attributes\/(.+)$/.exec(key)?.[1];
    const isOn = this.#attribute("enable-guest-attributes") === "TRUE";
    if (name === undefined || !isOn) return { status: name === undefined ? 404 : 403, headers: FLAVOR, body: "guest attributes are not enabled" };
    this.#subject.guestAttributes.set(name, body);
    return { headers: FLAVOR, body: "" };
  }

  /** Until the value is another than the one named by `last_etag`, which here is the value itself. */
  async #change(key: string, query: URLSearchParams): Promise<void> {
    const before = query.get("last_etag") ?? this.#value(key, query);
    if (this.#value(key, query) !== before) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        this.#waiting.delete(end);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, 1000 * Number(query.get("timeout_sec") ?? DEFAULT_WAIT_S));
      this.#waiting.add(end);
    });
  }

  #attribute(key: string): string | undefined {
    return this.#subject.resource.metadata?.items?.find((item) => item.key === key)?.value;
  }

  #value(key: string, query: URLSearchParams): unknown {
    const { project, zone, address, isPreempted, resource } = this.#subject;
    const email = resource.serviceAccounts?.[0]?.email;
    const attribute = /^instance\/attributes\/(.+)$/.exec(key)?.[1];
    if (attribute !== undefined) return this.#attribute(attribute);
    switch (key) {
      case "instance":
        return {};
      case "project/project-id":
        return project;
      case "universe/universe-domain":
        return "googleapis.com";
      case "instance/name":
        return resource.name;
      case "instance/id":
        return resource.id;
      case "instance/zone":
        return `projects/1/zones/${zone}`;
      case "instance/preempted":
        return isPreempted ? "TRUE" : "FALSE";
      case "instance/network-interfaces/0/ip":
      case "instance/network-interfaces/0/access-configs/0/external-ip":
        return address;
      case "instance/service-accounts":
        return email === undefined ? undefined : "default/\n";
      case "instance/service-accounts/default/email":
        return email;
      case "instance/service-accounts/default/token":
        return email === undefined ? undefined : this.#tokens.access(email);
      case "instance/service-accounts/default/identity":
        return email === undefined ? undefined : this.#tokens.identity({ audience: query.get("audience") ?? "", email, project, zone, instanceId: resource.id, instanceName: resource.name });
      default:
        return undefined;
    }
  }
}
