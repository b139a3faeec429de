/** As much of the clients' types as is used; see clients.cjs. */
export interface CallOptions {
  readonly autoPaginate?: boolean;
  readonly otherArgs?: { headers?: Record<string, string> };
}

export interface ClientOptions {
  readonly apiEndpoint?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly auth?: GoogleAuth;
}

export interface OperationError {
  readonly code?: string | null;
  readonly message?: string | null;
}

export interface Operation {
  readonly name?: string | null;
  readonly status?: string | null;
  readonly zone?: string | null;
  readonly error?: { readonly errors?: readonly OperationError[] | null } | null;
  readonly httpErrorStatusCode?: number | null;
  readonly httpErrorMessage?: string | null;
}

export interface Started {
  readonly latestResponse: Operation;
}

export interface InstanceRecord {
  readonly name?: string | null;
  readonly zone?: string | null;
  readonly status?: string | null;
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly creationTimestamp?: string | null;
  readonly scheduling?: { readonly provisioningModel?: string | null } | null;
  readonly networkInterfaces?: readonly { readonly networkIP?: string | null; readonly accessConfigs?: readonly { readonly natIP?: string | null }[] | null }[] | null;
}

export interface Firewall {
  readonly name: string;
  readonly description?: string;
  readonly network: string;
  readonly sourceRanges?: readonly string[];
  readonly sourceTags?: readonly string[];
  readonly targetTags?: readonly string[];
  readonly allowed?: readonly { readonly IPProtocol: string; readonly ports?: readonly string[] }[];
}

export interface Quota {
  readonly metric?: string | null;
  readonly limit?: number | null;
  readonly usage?: number | null;
}

declare class Client {
  constructor(options?: ClientOptions);
  initialize(): Promise<unknown>;
  close(): Promise<void>;
}

export class InstancesClient extends Client {
  insert(request: { project: string; zone: string; requestId: string; instanceResource: object }): Promise<[Started]>;
  delete(request: { project: string; zone: string; instance: string; requestId: string }): Promise<[Started]>;
  reset(request: { project: string; zone: string; instance: string; requestId: string }): Promise<[Started]>;
  start(request: { project: string; zone: string; instance: string; requestId: string }): Promise<[Started]>;
  get(request: { project: string; zone: string; instance: string }): Promise<[InstanceRecord]>;
  getSerialPortOutput(request: { project: string; zone: string; instance: string; port: number }): Promise<[{ contents?: string | null }]>;
  getGuestAttributes(request: { project: string; zone: string; instance: string; queryPath: string }): Promise<[{ queryValue?: { items?: readonly { value?: string | null }[] | null } | null }]>;
  aggregatedListAsync(request: { project: string; filter: string; returnPartialSuccess?: boolean }, options?: CallOptions): AsyncIterable<[string, { instances?: readonly InstanceRecord[] | null }]>;
}

export class FirewallsClient extends Client {
  insert(request: { project: string; requestId: string; firewallResource: Firewall }): Promise<[Started]>;
  delete(request: { project: string; firewall: string; requestId: string }): Promise<[Started]>;
  listAsync(request: { project: string; filter: string }, options?: CallOptions): AsyncIterable<{ name?: string | null }>;
}

export class RegionsClient extends Client {
  get(request: { project: string; region: string }): Promise<[{ quotas?: readonly Quota[] | null }]>;
}

export class ZoneOperationsClient extends Client {
  wait(request: { project: string; zone: string; operation: string }): Promise<[Operation]>;
}

export class GlobalOperationsClient extends Client {
  wait(request: { project: string; operation: string }): Promise<[Operation]>;
}

export interface LoginTicket {
  getPayload(): Record<string, unknown> | undefined;
}

export class GoogleAuth {
  constructor(options?: { scopes?: readonly string[]; projectId?: string });
  getProjectId(): Promise<string>;
  getAccessToken(): Promise<string | null | undefined>;
  getRequestHeaders(url?: string): Promise<Headers>;
}

export class OAuth2Client {
  constructor(options?: { endpoints?: { oauth2FederatedSignonJwkCertsUrl?: string; oauth2FederatedSignonPemCertsUrl?: string } });
  verifyIdToken(request: { idToken: string; audience: string }): Promise<LoginTicket>;
}

export const gcpMetadata: {
  instance<Value>(path: string): Promise<Value>;
  project<Value>(path: string): Promise<Value>;
};
