/** Who may do what: the roles of `docs/gcp`, and what Google's reference asks for each method. */
import { readFileSync } from "node:fs";
import { ApiError } from "./http.ts";
import type { InstanceBody } from "./instances.ts";

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../../docs/gcp/${name}`, import.meta.url), "utf8")) as Record<string, unknown>;
const roleOf = (name: string) => new Set(read(`burla-${name}.json`)["includedPermissions"] as string[]);

/** Whose role is which; the last one is that of any other account, such as of who runs the tests. */
const ROLES = [["burla-main@", roleOf("main")], ["burla-node@", roleOf("node")], ["", roleOf("user")]] as const;
/** `iam.serviceAccounts.actAs` is given on single accounts, by `docs/gcp/setup.sh`. */
const ACTS_AS: readonly (readonly [account: string, as: string])[] = [["burla-main@", "burla-node@"], ["tester@", "burla-main@"]];
const NODE_CONDITION = nameCondition(String(read("burla-node-condition.json")["expression"]));

/** The one form of condition that is used. @throws Error for another, which Google may know and this does not. */
function nameCondition(expression: string): (resource: string) => boolean {
  const [, before, start] = /^resource\.name\.extract\("([^"{]*)\{name\}"\)\.startsWith\("([^"]*)"\)$/.exec(expression) ?? [];
  if (before === undefined || start === undefined) throw new Error(`the emulator does not know the condition ${expression}`);
  return (resource) => resource.includes(before) && (resource.split(before)[1] ?? "").startsWith(start);
}

/** @param denied permissions that an account does not have all the same: `ACCOUNT PERMISSION` or `* PERMISSION`. */
export function lacks(denied: ReadonlySet<string>, account: string, permission: string, resource = ""): boolean {
  if (denied.has(`${account} ${permission}`) || denied.has(`* ${permission}`)) return true;
  const role = ROLES.find(([start]) => account.startsWith(start))?.[1];
  if (role?.has(permission) !== true) return true;
  return account.startsWith("burla-node@") && !NODE_CONDITION(resource);
}

export function mayActAs(denied: ReadonlySet<string>, account: string, as: string): boolean {
  if (denied.has(`${account} iam.serviceAccounts.actAs`) || denied.has("* iam.serviceAccounts.actAs")) return false;
  return ACTS_AS.some(([who, whom]) => account.startsWith(who) && as.startsWith(whom));
}

export function forbidden(permission: string, resource: string): ApiError {
  return new ApiError(403, "forbidden", `Required '${permission}' permission for '${resource}'`);
}

/** What `instances.insert` asks for, by what the body has. */
export function permissionsToInsert(project: string, body: InstanceBody): string[] {
  const { disks = [], labels, metadata, tags, serviceAccounts, networkInterfaces = [] } = body as InstanceBody & {
    disks?: { initializeParams?: { sourceImage?: string; labels?: object } }[];
    networkInterfaces?: { accessConfigs?: object[] }[];
  };
  const made = disks.flatMap(({ initializeParams }) => initializeParams ?? []);
  const asked: readonly (readonly [string, boolean])[] = [
    ["compute.instances.create", true],
    ["compute.disks.create", made.length > 0],
    ["compute.disks.setLabels", made.some(({ labels: given }) => given !== undefined)],
    // Google's own images are for everybody.
    ["compute.images.useReadOnly", made.some(({ sourceImage = "" }) => sourceImage.includes(`projects/${project}/`) || sourceImage.startsWith("global/"))],
    ["compute.instances.setLabels", labels !== undefined],
    ["compute.instances.setMetadata", metadata !== undefined],
    ["compute.instances.setTags", tags !== undefined],
    ["compute.instances.setServiceAccount", serviceAccounts !== undefined],
    ["compute.subnetworks.use", true],
    ["compute.subnetworks.useExternalIp", networkInterfaces.some(({ accessConfigs = [] }) => accessConfigs.length > 0)],
  ];
  return asked.flatMap(([permission, isAsked]) => (isAsked ? [permission] : []));
}
