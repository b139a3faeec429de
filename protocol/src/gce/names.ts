/** Names, labels and metadata by which a cluster's VMs are known. `services/vm/boot.sh` reads the same keys. */

/** On every VM of a cluster: its name. Whatever has it is removed by `burla down`. */
export const CLUSTER_LABEL = "burla-cluster";
/** `main` or `node`. */
export const ROLE_LABEL = "burla-role";
/** The node group that the VM belongs to. */
export const GROUP_LABEL = "burla-group";

export const METADATA = {
  script: "startup-script",
  /** What the VM runs: `main` or `node`. */
  role: "burla-role",
  /** Configuration of the service, JSON. Readable for everybody who may look at the VM: it holds no secret. */
  config: "burla-config",
  /** SHA-256 of the archive with the programs, hex. */
  programs: "burla-programs",
  /** Image with Node.js. */
  image: "burla-image",
  /** `TRUE` where the service makes containers, so it gets the engine's socket. */
  engine: "burla-engine",
  /** On the VM of main: the program that takes the archive from whoever starts the cluster. */
  receiver: "burla-receiver",
  /** On the VM of main: where it listens. On others: where main does. */
  port: "burla-port",
  main: "burla-main",
  certificate: "burla-certificate",
  audience: "burla-audience",
  /** Another API than Google's. */
  api: "burla-api",
  guestAttributes: "enable-guest-attributes",
} as const;

/** Guest attribute in which main says its certificate: only the VM itself can write it. */
export const CERTIFICATE_ATTRIBUTE = "burla/certificate";
/** The name in main's certificate, whatever its address is. */
export const MAIN_SERVER_NAME = "main.burla.internal";

const PREFIX = "burla-";

export function vmName(cluster: string, suffix: string): string {
  return `${PREFIX}${cluster}-${suffix}`;
}

export function mainVmName(cluster: string): string {
  return vmName(cluster, "main");
}

/** Network tags, and names of the firewall rules, which have no labels. */
export function mainTag(cluster: string): string {
  return mainVmName(cluster);
}

export function nodeTag(cluster: string): string {
  return vmName(cluster, "node");
}

/** What a VM's proof of identity is made for: it fits this cluster only. */
export function audienceOf(cluster: string): string {
  return `burla-cluster-${cluster}`;
}

export function regionOf(zone: string): string {
  return zone.replace(/-[a-z]$/, "");
}

export function serviceAccountEmail(name: string, project: string): string {
  return `${name}@${project}.iam.gserviceaccount.com`;
}
