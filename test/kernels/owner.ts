/** A program with a session that is busy: prints the session's process id, and waits to be killed. */
import { startSession } from "./session.ts";

const session = await startSession(process.argv[2] ?? ".");
for await (const event of session.execute("console.log(process.pid); for (;;);")) {
  if (event.type === "stream") process.stdout.write(event.text);
}
