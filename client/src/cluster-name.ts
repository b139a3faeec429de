/** How a person names a cluster: by its name, or by its URL. */

const NAME = /^[a-z][a-z0-9-]{0,30}$/;

/** What such a text must be, to follow "must be". */
export const CLUSTER_TEXT = "the name of a cluster (small letters, digits, dashes) or its URL";

export function isClusterName(text: string): boolean {
  return NAME.test(text);
}

/** `http://` or `https://`, without user and password: a token does not belong into a URL, which is shown and logged. */
export function isClusterUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}
