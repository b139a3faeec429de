/** What a VM knows of itself, by the metadata server that only it can reach. */
import clients from "./clients.cjs";

export interface VmFacts {
  readonly name: string;
  readonly zone: string;
  readonly project: string;
  readonly internalAddress: string;
  /** Empty where the VM has none. */
  readonly externalAddress: string;
}

export async function vmFacts(): Promise<VmFacts> {
  const { gcpMetadata } = clients;
  const [name, zone, project, internalAddress] = await Promise.all([
    gcpMetadata.instance<string>("name"),
    gcpMetadata.instance<string>("zone"),
    gcpMetadata.project<string>("project-id"),
    gcpMetadata.instance<string>("network-interfaces/0/ip"),
  ]);
  const externalAddress = await gcpMetadata.instance<string>("network-interfaces/0/access-configs/0/external-ip").catch(() => "");
  return { name, zone: zone.split("/").pop() ?? "", project, internalAddress, externalAddress };
}

/** Google's signed word for which VM this is. */
export function identityToken(audience: string): Promise<string> {
  return clients.gcpMetadata.instance<string>(`service-accounts/default/identity?audience=${encodeURIComponent(audience)}&format=full`);
}

export const guestAttributePath = (attribute: string) => `/computeMetadata/v1/instance/guest-attributes/${attribute}`;

/** Says something about this VM to whoever may read it through the API; nobody else can say it. */
export async function publishGuestAttribute(attribute: string, value: string): Promise<void> {
  const host = process.env["GCE_METADATA_HOST"] ?? "metadata.google.internal";
  const response = await fetch(`http://${host}${guestAttributePath(attribute)}`, { method: "PUT", body: value, headers: { "Metadata-Flavor": "Google" } });
  if (!response.ok) throw new Error(`the metadata server does not take ${attribute}: ${response.status}`);
}
