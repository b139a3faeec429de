/** Where the tests' VS Code lies once it is installed. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const vscodeHome = join(root, ".cache", "vscode");
export const serverNode = join(vscodeHome, "node", "bin", "node");
export const serverProgram = join(vscodeHome, "server", "out", "server-main.js");
/** Takes the arguments of the desktop's executable. */
export const standInExecutable = join(root, "scripts", "vscode", "code.mjs");
