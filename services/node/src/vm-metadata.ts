/** What the metadata server of this VM says of it. */

/** @throws Error when it does not answer. */
export async function vmMetadata(path: string, signal: AbortSignal): Promise<string> {
  const host = process.env["GCE_METADATA_HOST"] || "metadata.google.internal";
  const response = await fetch(`http://${host}/computeMetadata/v1/instance/${path}`, { headers: { "Metadata-Flavor": "Google" }, signal });
  if (!response.ok) throw new Error(`the metadata server answered ${response.status} to ${path.split("?")[0] ?? ""}`);
  return response.text();
}
