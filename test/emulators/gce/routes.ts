/** Which request is which method of which API. */
import { checkBody } from "./bodies.ts";
import { machineTypeResource, MACHINE_TYPES, metricOf, regionOf, zoneResource, type Quotas } from "./catalogue.ts";
import { ApiError, notFound, type Call } from "./http.ts";
import type { InstanceBody, Instances } from "./instances.ts";
import { masked, page } from "./listing.ts";
import { now, type Operations } from "./operations.ts";
import { forbidden, lacks, mayActAs, permissionsToInsert } from "./permissions.ts";

/** What a test may set about the project. */
export interface ProjectState {
  readonly enabledServices: Set<string>;
  readonly serviceAccounts: Set<string>;
  /** Of Firestore. */
  readonly databases: Set<string>;
  /** `REGION/NAME`. */
  readonly subnetworks: Set<string>;
  /** Permissions that an account does not have, `ACCOUNT PERMISSION` or `* PERMISSION`. */
  readonly denied: Set<string>;
  /** What requests have needed so far, `ACCOUNT PERMISSION`. */
  readonly asked: Set<string>;
}

export interface RouteContext {
  readonly instances: Instances;
  readonly operations: Operations;
  readonly quotas: Quotas;
  readonly zones: readonly string[];
  readonly state: ProjectState;
  /** Resources that are only kept: `firewalls`, `instanceTemplates`. */
  readonly kept: Map<string, object>;
  readonly link: (project: string, path: string) => string;
}

interface Request extends Call {
  readonly account: string;
}

type Handler = (request: Request, ...parts: string[]) => unknown;

/** @param permissions separated by blanks. */
type On = (method: string, path: string, permissions: string, handle: Handler) => void;

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  /** All that Google's reference asks for; empty where the handler looks itself. */
  readonly permissions: readonly string[];
  readonly handle: Handler;
}

const KEPT = ["firewalls", "instanceTemplates"];
const QUOTA_METRICS = [...new Set(Object.keys(MACHINE_TYPES).flatMap((type) => [metricOf(type, false), metricOf(type, true)]))];

export function createRoutes(context: RouteContext): (request: Request) => unknown {
  const routes = [...computeRoutes(context), ...projectRoutes(context)];
  return (request) => {
    for (const { method, pattern, permissions, handle } of routes) {
      const match = method === request.method ? pattern.exec(request.path) : null;
      if (match === null) continue;
      // Who names a project that pays for the request uses its services.
      if (request.headers["x-goog-user-project"] !== undefined) checkPermissions(context.state, request, ["serviceusage.services.use"]);
      checkPermissions(context.state, request, permissions);
      const zone = /\/zones\/([^/]+)\//.exec(request.path)?.[1];
      if (zone !== undefined && !context.zones.includes(zone)) throw new ApiError(400, "invalid", `Invalid value for field 'zone': '${zone}'. Unknown zone.`);
      return handle(request, ...match.slice(1));
    }
    throw new ApiError(404, "notFound", `the emulator has no ${request.method} ${request.path}`);
  };
}

function checkPermissions(state: ProjectState, { account, path }: Request, permissions: readonly string[]): void {
  const resource = path.replace(/^\/compute\/v1\//, "");
  for (const permission of permissions) state.asked.add(`${account} ${permission}`);
  const missing = permissions.find((permission) => lacks(state.denied, account, permission, resource));
  if (missing !== undefined) throw forbidden(missing, resource);
}

/** Who makes a VM runs as its account. */
function checkInsert(state: ProjectState, request: Request, project: string, body: InstanceBody): void {
  checkPermissions(state, request, permissionsToInsert(project, body));
  for (const { email } of body.serviceAccounts ?? []) {
    if (!mayActAs(state.denied, request.account, email)) throw new ApiError(403, "forbidden", `The user does not have access to service account '${email}'.  User: '${request.account}'.  Ask a project owner to grant you the iam.serviceAccountUser role on the service account`);
  }
}

function computeRoutes(context: RouteContext): Route[] {
  const { instances, operations, quotas, zones, link, state } = context;
  const routes: Route[] = [];
  const on: On = (method, path, permissions, handle) =>
    routes.push({ method, pattern: new RegExp(`^/compute/v1/projects/([^/]+)${path.replaceAll("*", "([^/]+)")}$`), permissions: permissions.split(" ").filter(Boolean), handle });

  on("POST", "/zones/*/instances", "", (request, project = "", zone = "") => {
    const body = JSON.parse(request.body) as InstanceBody;
    checkBody("Instance", body);
    checkInsert(state, request, project, body);
    return instances.insert(project, zone, body, request.account);
  });
  on("GET", "/zones/*/instances", "compute.instances.list", ({ query }, project = "", zone) => {
    const found = instances.all(project).filter((instance) => instance.zone === zone);
    return { kind: "compute#instanceList", ...page(found.map(({ resource }) => resource), query) };
  });
  on("GET", "/aggregated/instances", "compute.instances.list", (request, project = "") => masked(aggregated(context, project, request.query), request.headers["x-goog-fieldmask"]));
  on("GET", "/zones/*/instances/*", "compute.instances.get", (_request, project = "", zone = "", name = "") => instances.get(project, zone, name).resource);
  on("DELETE", "/zones/*/instances/*", "compute.instances.delete", ({ account }, project = "", zone = "", name = "") => instances.delete(project, zone, name, account));
  on("POST", "/zones/*/instances/*/stop", "compute.instances.stop", ({ account }, project = "", zone = "", name = "") => instances.stop(project, zone, name, account));
  on("POST", "/zones/*/instances/*/start", "compute.instances.start", ({ account }, project = "", zone = "", name = "") => instances.start(project, zone, name, account));
  on("GET", "/zones/*/instances/*/serialPort", "compute.instances.getSerialPortOutput", ({ query }, project = "", zone = "", name = "") => {
    const { serial } = instances.get(project, zone, name).vm;
    const start = Number(query.get("start") ?? 0);
    return { kind: "compute#serialPortOutput", contents: serial.slice(start), start: String(start), next: String(serial.length) };
  });
  on("GET", "/zones/*/instances/*/getGuestAttributes", "compute.instances.getGuestAttributes", ({ query }, project = "", zone = "", name = "") => {
    const queryPath = query.get("queryPath") ?? "";
    const value = instances.get(project, zone, name).guestAttributes.get(queryPath);
    if (value === undefined) throw notFound(queryPath);
    const [namespace = "", key = ""] = queryPath.split("/");
    return { kind: "compute#guestAttributes", queryPath, queryValue: { items: [{ namespace, key, value }] } };
  });
  on("GET", "/zones/*/operations/*", "compute.zoneOperations.get", (_request, project = "", zone = "", name = "") => operations.get(project, zone, name));
  on("POST", "/zones/*/operations/*/wait", "compute.zoneOperations.get", (_request, project = "", zone = "", name = "") => operations.wait(project, zone, name));
  on("GET", "/global/operations/*", "compute.globalOperations.get", (_request, project = "", name = "") => operations.get(project, null, name));
  on("POST", "/global/operations/*/wait", "compute.globalOperations.get", (_request, project = "", name = "") => operations.wait(project, null, name));
  on("GET", "/zones", "compute.zones.list", ({ query }, project = "") => ({ kind: "compute#zoneList", ...page(zones.map((zone) => zoneResource(zone, zones, (path) => link(project, path))), query) }));
  on("GET", "/zones/*", "compute.zones.get", (_request, project = "", zone = "") => zoneResource(zone, zones, (path) => link(project, path)));
  on("GET", "/zones/*/machineTypes", "compute.machineTypes.list", ({ query }, project = "", zone = "") => ({
    kind: "compute#machineTypeList", ...page(Object.keys(MACHINE_TYPES).map((name) => machineTypeResource(zone, name, (path) => link(project, path))), query),
  }));
  on("GET", "/zones/*/machineTypes/*", "compute.machineTypes.get", (_request, project = "", zone = "", name = "") => machineTypeResource(zone, name, (path) => link(project, path)));
  on("GET", "", "compute.projects.get", (_request, project = "") => {
    const usage = [...new Set(zones.map(regionOf))].flatMap((region) => QUOTA_METRICS.map((metric) => instances.usage(project, region, metric))).reduce((sum, cpus) => sum + cpus, 0);
    return { kind: "compute#project", name: project, quotas: [{ metric: "CPUS_ALL_REGIONS", limit: quotas.limit("global", "CPUS_ALL_REGIONS"), usage }] };
  });
  on("GET", "/regions/*", "compute.regions.get", (_request, project = "", region = "") => {
    if (!zones.some((zone) => regionOf(zone) === region)) throw notFound(`projects/${project}/regions/${region}`);
    const each = QUOTA_METRICS.map((metric) => ({ metric, limit: quotas.limit(region, metric), usage: instances.usage(project, region, metric) }));
    return { kind: "compute#region", name: region, quotas: each };
  });
  on("GET", "/global/images/family/*", "compute.images.getFromFamily", (_request, project = "", family = "") => ({ kind: "compute#image", name: `${family}-1`, family, status: "READY", selfLink: link(project, `global/images/${family}-1`) }));
  on("GET", "/regions/*/subnetworks/*", "compute.subnetworks.get", (_request, project = "", region = "", name = "") => {
    if (!state.subnetworks.has(`${region}/${name}`)) throw notFound(`projects/${project}/regions/${region}/subnetworks/${name}`);
    return { kind: "compute#subnetwork", name, privateIpGoogleAccess: false, selfLink: link(project, `regions/${region}/subnetworks/${name}`) };
  });
  on("GET", "/global/networks/*", "compute.networks.get", (_request, project = "", name = "") => ({ kind: "compute#network", name, selfLink: link(project, `global/networks/${name}`) }));
  for (const collection of KEPT) keptRoutes(context, collection, on);
  return routes;
}

function keptRoutes({ kept, operations, link }: RouteContext, collection: string, on: On): void {
  // A rule is of its network.
  const beside = collection === "firewalls" ? " compute.networks.updatePolicy" : "";
  const pathOf = (name: string) => `global/${collection}/${name}`;
  const find = (project: string, name: string) => {
    const found = kept.get(`${project}/${pathOf(name)}`);
    if (found === undefined) throw notFound(`projects/${project}/${pathOf(name)}`);
    return found;
  };
  on("POST", `/global/${collection}`, `compute.${collection}.create${beside}`, ({ body, account }, project = "") => {
    const given = JSON.parse(body) as { name: string };
    checkBody(collection === "firewalls" ? "Firewall" : "InstanceTemplate", given);
    const key = `${project}/${pathOf(given.name)}`;
    if (kept.has(key)) throw new ApiError(409, "alreadyExists", `The resource 'projects/${key}' already exists`);
    const resource = { ...given, creationTimestamp: now(), selfLink: link(project, pathOf(given.name)) };
    return operations.begin({ project, zone: null, user: account, type: "insert", targetLink: resource.selfLink, work: () => void kept.set(key, resource) });
  });
  on("GET", `/global/${collection}`, `compute.${collection}.list`, ({ query }, project = "") => {
    const all = [...kept].filter(([key]) => key.startsWith(`${project}/${pathOf("")}`)).map(([, resource]) => resource);
    return page(all, query);
  });
  on("GET", `/global/${collection}/*`, `compute.${collection}.get`, (_request, project = "", name = "") => find(project, name));
  on("DELETE", `/global/${collection}/*`, `compute.${collection}.delete${beside}`, ({ account }, project = "", name = "") => {
    find(project, name);
    return operations.begin({ project, zone: null, user: account, type: "delete", targetLink: link(project, pathOf(name)), work: () => void kept.delete(`${project}/${pathOf(name)}`) });
  });
}

/** Every zone is a scope, with a warning where it has nothing. */
function aggregated({ instances, zones }: RouteContext, project: string, query: URLSearchParams): object {
  const { items, ...rest } = page(instances.all(project).map(({ resource }) => resource), query);
  const scopes = zones.map((zone) => {
    const found = items.filter((item) => item.zone.endsWith(`/zones/${zone}`));
    const warning = { code: "NO_RESULTS_ON_PAGE", message: `There are no results for scope 'zones/${zone}' on this page.`, data: [{ key: "scope", value: `zones/${zone}` }] };
    return [`zones/${zone}`, found.length > 0 ? { instances: found } : { warning }];
  });
  return { kind: "compute#instanceAggregatedList", items: Object.fromEntries(scopes) as object, ...rest };
}

/** Service Usage, Resource Manager and IAM, as far as they are asked before anything is made. */
function projectRoutes({ state }: RouteContext): Route[] {
  const enabled = (service: string, project: string) => {
    if (!state.enabledServices.has(service)) throw new ApiError(403, "accessNotConfigured", `${service} has not been used in project ${project} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/${service}/overview?project=${project} then retry.`, "PERMISSION_DENIED");
  };
  return [
    {
      method: "GET", pattern: /^\/v1\/projects\/([^/]+)\/services\/([^/]+)$/, permissions: ["serviceusage.services.get"],
      handle: (_request, project = "", service = "") => ({ name: `projects/${project}/services/${service}`, state: state.enabledServices.has(service) ? "ENABLED" : "DISABLED" }),
    },
    {
      method: "POST", pattern: /^\/v1\/projects\/([^/]+):testIamPermissions$/, permissions: [],
      handle: ({ body, account }, project = "") => {
        enabled("cloudresourcemanager.googleapis.com", project);
        const { permissions } = JSON.parse(body) as { permissions: string[] };
        return { permissions: permissions.filter((permission) => !lacks(state.denied, account, permission)) };
      },
    },
    {
      method: "GET", pattern: /^\/v1\/projects\/([^/]+)\/databases\/([^/]+)$/, permissions: ["datastore.databases.get"],
      handle: (_request, project = "", database = "") => {
        enabled("firestore.googleapis.com", project);
        if (!state.databases.has(database)) throw new ApiError(404, "notFound", `The database ${database} does not exist for project ${project}`, "NOT_FOUND");
        return { name: `projects/${project}/databases/${database}`, type: "FIRESTORE_NATIVE" };
      },
    },
    {
      method: "POST", pattern: /^\/v1\/projects\/[^/]+\/serviceAccounts\/([^/:]+):testIamPermissions$/, permissions: [],
      handle: ({ body, account }, email = "") => {
        const { permissions } = JSON.parse(body) as { permissions: string[] };
        return { permissions: permissions.filter((permission) => permission === "iam.serviceAccounts.actAs" && mayActAs(state.denied, account, email)) };
      },
    },
    {
      method: "GET", pattern: /^\/v1\/projects\/([^/]+)\/serviceAccounts\/([^/]+)$/, permissions: ["iam.serviceAccounts.get"],
      handle: (_request, project = "", email = "") => {
        enabled("iam.googleapis.com", project);
        if (!state.serviceAccounts.has(email)) throw new ApiError(404, "notFound", `Unknown service account: ${email}`, "NOT_FOUND");
        return { name: `projects/${project}/serviceAccounts/${email}`, email, disabled: false };
      },
    },
  ];
}
