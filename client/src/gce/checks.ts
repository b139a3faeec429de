/** What a project must have before anything is made in it. Changes nothing. */
import { isGceFailure, regionOf, serviceAccountEmail, type ClusterSpec } from "@burla/protocol";
import type { CloudCheck, CloudProblem } from "../control/types.ts";
import { cloudError, type GoogleProject } from "./library.ts";
import { mainZones } from "./plan.ts";
import { GLOBAL, quotaNeeds, quotaProblems, type Quota } from "./quotas.ts";

/** What `burla up` and `burla down` do themselves; `docs/gcp/burla-user.json` is the role that has them. */
export const USER_PERMISSIONS = [
  "compute.disks.create", "compute.disks.setLabels", "compute.firewalls.create", "compute.firewalls.delete", "compute.firewalls.list",
  "compute.globalOperations.get", "compute.images.useReadOnly", "compute.instances.create", "compute.instances.delete",
  "compute.instances.get", "compute.instances.getGuestAttributes", "compute.instances.getSerialPortOutput", "compute.instances.list", "compute.instances.setLabels",
  "compute.instances.setMetadata", "compute.instances.setServiceAccount", "compute.instances.setTags", "compute.instances.start", "compute.networks.updatePolicy",
  "compute.projects.get", "compute.regions.get", "compute.subnetworks.get", "compute.subnetworks.use", "compute.subnetworks.useExternalIp", "compute.zoneOperations.get",
  "iam.serviceAccounts.get", "serviceusage.services.get", "serviceusage.services.use",
] as const;
type Permission = (typeof USER_PERMISSIONS)[number];

/** Without these nothing else can be asked. */
const SERVICES = ["compute.googleapis.com", "iam.googleapis.com", "cloudresourcemanager.googleapis.com"];
const FIRESTORE = "firestore.googleapis.com";

/** All that is wrong, not only the first. @throws BurlaError BURLA_CLOUD when Google does not answer. */
export async function checkProject(project: GoogleProject, spec: ClusterSpec, onCheck: (check: CloudCheck) => void = () => undefined): Promise<CloudProblem[]> {
  try {
    onCheck("api");
    const off = await disabledServices(project, spec);
    const problems = [...off].map((service) => disabledProblem(service, project.id));
    const allowed = off.has("cloudresourcemanager.googleapis.com") ? null : await allowedIn(project, onCheck);
    problems.push(...(allowed === null ? [] : missingPermissions(project, allowed)));
    const look = async (check: CloudCheck, service: string, permission: Permission | null, ask: () => Promise<CloudProblem[]>) => {
      if (off.has(service) || (allowed !== null && permission !== null && !allowed.has(permission))) return;
      onCheck(check);
      problems.push(...(await ask()));
    };
    await look("accounts", "iam.googleapis.com", "iam.serviceAccounts.get", () => checkAccounts(project, spec));
    await look("network", "compute.googleapis.com", "compute.subnetworks.get", () => checkSubnetworks(project, spec));
    await look("quotas", "compute.googleapis.com", "compute.regions.get", () => checkQuotas(project, spec));
    if (spec.queue === "firestore") await look("database", FIRESTORE, null, () => checkDatabase(project, spec));
    return problems;
  } catch (error) {
    throw cloudError(`the project ${project.id} could not be looked at`, error);
  }
}

/** Those that are switched off; of one that may not be asked about nothing is known. A call of a disabled one fails, whatever it asks. */
async function disabledServices(project: GoogleProject, { queue }: ClusterSpec): Promise<Set<string>> {
  const off = new Set<string>();
  for (const service of [...SERVICES, ...(queue === "firestore" ? [FIRESTORE] : [])]) {
    try {
      if (!(await project.isEnabled(service))) off.add(service);
    } catch (error) {
      if (!isGceFailure(error) || error.kind !== "denied") throw error;
      const named = /([a-z]+\.googleapis\.com)\/overview/.exec(error.message)?.[1];
      if (named !== undefined) off.add(named);
    }
  }
  return off;
}

function disabledProblem(service: string, project: string): CloudProblem {
  return problem(`the API ${service} is not enabled in ${project}`, `Run \`gcloud services enable ${service} --project ${project}\`.`);
}

async function allowedIn(project: GoogleProject, onCheck: (check: CloudCheck) => void): Promise<ReadonlySet<string>> {
  onCheck("permissions");
  return new Set(await project.permissions(USER_PERMISSIONS));
}

function missingPermissions({ id }: GoogleProject, allowed: ReadonlySet<string>): CloudProblem[] {
  return USER_PERMISSIONS.filter((permission) => !allowed.has(permission)).map((permission) => problem(`you may not ${permission} in ${id}`, "Ask for the role of docs/gcp.md."));
}

/** Main's own right to it shows when main starts: whoever starts a cluster need not be able to read it. */
async function checkDatabase(project: GoogleProject, { firestore }: ClusterSpec): Promise<CloudProblem[]> {
  const { database } = firestore;
  const where = firestore.project ?? project.id;
  const name = database === "(default)" ? "" : ` --database='${database}'`;
  const has = await project.hasDatabase(where, database).catch((error: unknown) => {
    if (isGceFailure(error) && error.kind === "denied") return null;
    throw error;
  });
  if (has === null) return [{ message: `you may not look at the databases of ${where}`, cure: `See to it that Firestore has the database ${database}: docs/firestore.md.`, isWarning: true }];
  return has ? [] : [problem(`Firestore has no database ${database} in ${where}`, `Run \`gcloud firestore databases create${name} --location=REGION --project ${where}\`.`)];
}

async function checkAccounts(project: GoogleProject, { gce }: ClusterSpec): Promise<CloudProblem[]> {
  const problems: CloudProblem[] = [];
  for (const name of Object.values(gce.serviceAccounts)) {
    const email = serviceAccountEmail(name, project.id);
    if (!(await project.hasServiceAccount(email))) problems.push(problem(`there is no service account ${email}`, "Run docs/gcp/setup.sh, once for a project."));
  }
  const main = serviceAccountEmail(gce.serviceAccounts.main, project.id);
  if (problems.length === 0 && !(await project.mayActAs(main))) problems.push(problem(`you may not run a VM as ${main}`, "Ask for roles/iam.serviceAccountUser on that account, as docs/gcp/setup.sh gives it."));
  return problems;
}

/** Where none is named Google chooses, and says so when it cannot. */
async function checkSubnetworks(project: GoogleProject, spec: ClusterSpec): Promise<CloudProblem[]> {
  const { subnetwork, externalAddresses } = spec.gce;
  if (subnetwork === null) return [];
  const problems: CloudProblem[] = [];
  for (const region of new Set(mainZones(spec).map(regionOf))) {
    const found = await project.subnetwork(region, subnetwork);
    if (found === null) problems.push(problem(`there is no subnetwork ${subnetwork} in ${region}`, "Make it, or name zones of regions that have it."));
    else if (!externalAddresses && !found.reachesGoogle) {
      problems.push({ message: `VMs without external addresses reach Google from ${subnetwork} in ${region} over Cloud NAT alone`, cure: `If there is none: \`gcloud compute networks subnets update ${subnetwork} --region ${region} --enable-private-ip-google-access\`, and an image from there.`, isWarning: true });
    }
  }
  return problems;
}

/** Other zones or the full price may help, so a quota that is too small is only said. */
async function checkQuotas(project: GoogleProject, spec: ClusterSpec): Promise<CloudProblem[]> {
  const needs = quotaNeeds(spec);
  const quotas = new Map<string, readonly Quota[]>();
  for (const region of new Set(needs.map((need) => need.region))) {
    quotas.set(region, region === GLOBAL ? await project.globalQuotas().catch(unlessDenied) : await project.compute.quotas(region));
  }
  return quotaProblems(needs, quotas);
}

/** Whoever may not look at the project's own quotas hears of them when one is reached. */
function unlessDenied(error: unknown): readonly Quota[] {
  if (isGceFailure(error) && error.kind === "denied") return [];
  throw error;
}

function problem(message: string, cure: string): CloudProblem {
  return { message, cure, isWarning: false };
}
