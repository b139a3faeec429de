/** Door of the `burla` command. */
import { runCommandLine } from "./program.ts";
import { Terminal } from "./terminal.ts";

process.exitCode = await runCommandLine(process.argv.slice(2), new Terminal());
// What the client has queued for the cluster leaves at the end of a turn; then nothing, such as an idle stdin, keeps this alive.
setImmediate(() => setImmediate(() => process.exit()));
