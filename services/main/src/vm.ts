/** Main on a VM of its own: who it is, its certificate, and the provider and the door that go with it. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { audienceOf, CERTIFICATE_ATTRIBUTE } from "@burla/protocol";
import type * as gce from "@burla/protocol/gce";
import type { Certificate, VmFacts } from "@burla/protocol/gce";
import type { MainConfig } from "./config.ts";
import { Enrolment } from "./enrolment.ts";
import { GceProvider, type GceProviderOptions } from "./providers/gce/provider.ts";

type Library = typeof gce;
type VmConfig = NonNullable<MainConfig["vm"]>;

export interface MainVm {
  readonly facts: VmFacts;
  readonly certificate: Certificate;
  readonly provider: GceProvider;
  readonly enrolment: Enrolment;
}

export type VmShell = Pick<GceProviderOptions, "demands" | "busy" | "onGone" | "onChange" | "log">;

export async function openVm(config: MainConfig, vm: VmConfig, shell: VmShell): Promise<MainVm> {
  const library = await loadLibrary();
  const facts = await library.vmFacts();
  const certificate = await keptCertificate(join(config.directory, "certificate.json"), library);
  const { compute } = await library.GoogleProject.open({ project: facts.project, endpoint: vm.endpoint });
  const provider = new GceProvider({
    ...shell,
    spec: config.spec, version: config.version, project: facts.project, compute,
    main: { address: facts.internalAddress, port: vm.port, certificate: certificate.certificate },
    programsHash: vm.programsHash, endpoint: vm.endpoint, mainPricePerHour: vm.pricePerHour,
    bootScript: readFileSync(fileURLToPath(new URL("./boot.sh", import.meta.url)), "utf8"),
  });
  const check = new library.IdentityCheck(audienceOf(config.spec.name), vm.endpoint);
  const enrolment = new Enrolment({ check, project: facts.project, nodeOf: (name) => provider.nodeOf(name) });
  return { facts, certificate, provider, enrolment };
}

/** Tells whoever started the cluster, through Google, which certificate to trust. */
export async function publishCertificate({ certificate }: MainVm): Promise<void> {
  await (await loadLibrary()).publishGuestAttribute(CERTIFICATE_ATTRIBUTE, certificate.certificate);
}

/** A file of its own beside this one: Google's client is 2 MB, and a local cluster does without. */
function loadLibrary(): Promise<Library> {
  const path = join(dirname(fileURLToPath(import.meta.url)), "gce.mjs");
  return import(path) as Promise<Library>;
}

/** Made once, so that nobody has to trust another one after a restart. */
async function keptCertificate(path: string, { createCertificate }: Library): Promise<Certificate> {
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as Certificate;
  const made = await createCertificate();
  writeFileSync(`${path}.part`, JSON.stringify(made), { mode: 0o600 });
  renameSync(`${path}.part`, path);
  return made;
}
