/** Texts that fit their limits. */

/** At most `max` characters; what is cut ends with an ellipsis, and no surrogate pair is cut in two. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(max - 2)) ? max - 2 : max - 1;
  return `${text.slice(0, end)}…`;
}
