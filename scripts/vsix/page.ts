/** The extension's README and changelog as they stand in the package: in its root, with nothing of the repository near. */

/**
 * Paths are made relative to the root, from which `vsce` makes addresses in the repository. A manifest that names no
 * repository has no such addresses: pictures go, and links become their text.
 */
export function publishedPage(text: string, hasRepository: boolean): string {
  if (hasRepository) return text.replaceAll("](../", "](");
  return text
    .replace(/^!\[[^\]]*\]\((?!https?:)[^)]+\)\n+/gm, "")
    .replace(/!\[[^\]]*\]\((?!https?:)[^)]+\)/g, "")
    .replace(/\[([^\]]+)\]\((?!https?:|#)[^)]+\)/g, "$1");
}
