/** A score of a document. */
export function score(text: string): number {
  return text.split(/\s+/).length;
}
