/** Google's client, 2 MB in a file of its own beside the services: loaded by whoever starts or ends a cluster there. */
import type * as gce from "@burla/protocol/gce";
import { BurlaError, isGceFailure, messageOf } from "@burla/protocol";
import { ownUrl } from "../own-files.ts";

export type GceLibrary = typeof gce;
export type GoogleProject = Awaited<ReturnType<GceLibrary["GoogleProject"]["open"]>>;

export function loadGce(): Promise<GceLibrary> {
  return import(ownUrl("services/gce.mjs").href) as Promise<GceLibrary>;
}

/** Another API than Google's, for tests and for private endpoints. */
export function gceEndpoint(): string | null {
  return process.env["BURLA_GCE_ENDPOINT"] || null;
}

/** @throws BurlaError BURLA_CLOUD when there are no credentials, or no project is named. */
export async function openProject(project: string | null): Promise<GoogleProject> {
  const opened = await openProjectIfNamed(project);
  if (opened !== null) return opened;
  throw new BurlaError("BURLA_CLOUD", "no project of Google Cloud is named", { cure: "Name it in the cluster spec (`gce.project`), or with `gcloud config set project`." });
}

/** @returns null when no project is named. @throws BurlaError BURLA_CLOUD when there are no credentials. */
export async function openProjectIfNamed(project: string | null): Promise<GoogleProject | null> {
  const { GoogleProject } = await loadGce();
  try {
    return await GoogleProject.open({ project, endpoint: gceEndpoint() });
  } catch (cause) {
    if (/project/i.test(messageOf(cause)) && !/credential/i.test(messageOf(cause))) return null;
    throw new BurlaError("BURLA_CLOUD", `there are no credentials for Google Cloud: ${firstLine(cause)}`, { cause, cure: "Sign in with `gcloud auth application-default login`." });
  }
}

/** What Google refused, as an error of ours. */
export function cloudError(what: string, cause: unknown): Error {
  if (!isGceFailure(cause)) return cause instanceof Error ? cause : new Error(String(cause));
  return new BurlaError("BURLA_CLOUD", `${what}: ${cause.message}`, { cause });
}

function firstLine(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}
