/** What a project must have before anything is made in it. Changes nothing. */
import { serviceAccountEmail, type ClusterSpec } from "@burla/protocol";
import type { CloudCheck, CloudProblem } from "../control/types.ts";
import { cloudError, type GoogleProject } from "./library.ts";
import { quotaNeeds } from "./plan.ts";

/** What `burla up` and `burla down` do themselves; `docs/gcp/burla-user.json` is the role that has them. */
export const USER_PERMISSIONS = [
  "compute.disks.create", "compute.disks.setLabels", "compute.firewalls.create", "compute.firewalls.delete", "compute.firewalls.list",
  "compute.globalOperations.get", "compute.images.useReadOnly", "compute.instances.create", "compute.instances.delete",
  "compute.instances.get", "compute.instances.getGuestAttributes", "compute.instances.list", "compute.instances.setLabels",
  "compute.instances.setMetadata", "compute.instances.setServiceAccount", "compute.instances.setTags", "compute.networks.updatePolicy",
  "compute.regions.get", "compute.subnetworks.use", "compute.subnetworks.useExternalIp", "compute.zoneOperations.get",
  "iam.serviceAccounts.get", "serviceusage.services.get", "serviceusage.services.use",
] as const;

const SERVICE = "compute.googleapis.com";

/** All that is wrong, not only the first. @throws BurlaError BURLA_CLOUD when Google does not answer. */
export async function checkProject(project: GoogleProject, spec: ClusterSpec, onCheck: (check: CloudCheck) => void = () => undefined): Promise<CloudProblem[]> {
  try {
    onCheck("permissions");
    const allowed = new Set(await project.permissions(USER_PERMISSIONS));
    const missing = USER_PERMISSIONS.filter((permission) => !allowed.has(permission));
    const permissions = missing.map((permission) => problem(`you may not ${permission} in ${project.id}`, "Ask for the role of docs/gcp.md."));
    const look = async (check: CloudCheck, permission: (typeof USER_PERMISSIONS)[number], ask: () => Promise<CloudProblem[]>) => {
      onCheck(check);
      return allowed.has(permission) ? await ask() : [];
    };
    return [
      ...permissions,
      ...(await look("api", "serviceusage.services.get", () => checkService(project))),
      ...(await look("accounts", "iam.serviceAccounts.get", () => checkAccounts(project, spec))),
      ...(await look("quotas", "compute.regions.get", () => checkQuotas(project, spec))),
    ];
  } catch (error) {
    throw cloudError(`the project ${project.id} could not be looked at`, error);
  }
}

async function checkService(project: GoogleProject): Promise<CloudProblem[]> {
  if (await project.isEnabled(SERVICE)) return [];
  return [problem(`the API of Compute Engine is not enabled in ${project.id}`, `Run \`gcloud services enable ${SERVICE} --project ${project.id}\`.`)];
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

/** Other zones or the full price may help, so a quota that is too small is only said. */
async function checkQuotas(project: GoogleProject, spec: ClusterSpec): Promise<CloudProblem[]> {
  const problems: CloudProblem[] = [];
  for (const { region, metric, cpus } of quotaNeeds(spec)) {
    const quota = (await project.compute.quotas(region)).find((candidate) => candidate.metric === metric);
    const free = quota === undefined ? Infinity : quota.limit - quota.usage;
    if (free < cpus) {
      const text = `the quota ${metric} in ${region} leaves ${Math.max(0, free)} of the ${cpus} processors that are wanted`;
      problems.push({ message: text, cure: "Ask for more at console.cloud.google.com/iam-admin/quotas, or name zones of other regions.", isWarning: true });
    }
  }
  return problems;
}

function problem(message: string, cure: string): CloudProblem {
  return { message, cure, isWarning: false };
}
