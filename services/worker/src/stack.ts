/** A stack as the user knows it: without the frames of this service and of Node itself. */
import { fileURLToPath } from "node:url";

const OWN_FILE = fileURLToPath(import.meta.url);
const INTERNAL = /\(node:|at node:/;

export function userStack(stack: string): string {
  const lines = stack.split("\n");
  return lines.filter((line) => !/^\s+at /.test(line) || (!line.includes(OWN_FILE) && !INTERNAL.test(line))).join("\n");
}
