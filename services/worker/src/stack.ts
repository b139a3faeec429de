/** A stack as the user knows it: without the frames of this service and of Node itself. */
import { fileURLToPath } from "node:url";
import { EVALUATED_SCHEME } from "@burla/protocol";

const OWN_FILE = fileURLToPath(import.meta.url);
const INTERNAL = /\(node:|at node:/;
/** Code that stands in no file: a line of a REPL, a cell of a notebook. Node writes its name as a URL. */
const EVALUATED = new RegExp(`${EVALUATED_SCHEME}([^\\s)]*)`, "g");

export function userStack(stack: string): string {
  const lines = stack.split("\n");
  const own = lines.filter((line) => !/^\s+at /.test(line) || (!line.includes(OWN_FILE) && !INTERNAL.test(line)));
  return own.join("\n").replaceAll(EVALUATED, (_all, name: string) => decoded(name));
}

function decoded(name: string): string {
  try {
    return decodeURI(name);
  } catch {
    return name;
  }
}
