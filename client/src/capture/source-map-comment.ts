/**
 * The comment that carries a source map in a text, on a line of its own. Put together here, so that the text of this
 * package holds no such comment itself: tools that look for the map of a file take the last one that they find.
 */
export function sourceMapComment(map: string): string {
  const base64 = Buffer.from(map).toString("base64");
  return `${["//#", `sourceMappingURL=data:application/json;base64,${base64}`].join(" ")}\n`;
}
