/**
 * How VMs of a cluster are named, described and asked for at Compute Engine. Built as a file of its own, loaded by
 * whoever makes machines: Google's client in it is 2 MB.
 */
export { createCertificate, type Certificate } from "./certificate.ts";
export { Compute, type ComputeOptions, type InstanceView, type QuotaView } from "./compute.ts";
export { GoogleProject, type ProjectOptions } from "./project.ts";
export { guestAttributePath, identityToken, publishGuestAttribute, vmFacts, type VmFacts } from "./metadata.ts";
export { IdentityCheck, type VmIdentity } from "./identity.ts";
