/**
 * A worker is warm when the machinery around the user's function is: loaded, compiled and optimised by V8. What it
 * gains has not been measured by itself.
 */
import { encodeFrame, encodeValues, FrameDecoder, nodeToWorker } from "@burla/protocol";
import * as v from "valibot";
import type { Output } from "./output.ts";
import { Runner, type AnswerLine } from "./run.ts";

const GRANTS = 12;
const CALLS_PER_GRANT = 400;
/** The loader's first import of a module that looks like a bundle costs several milliseconds, whatever the module does. */
const EMPTY_MODULE = `import { deserialize } from "node:v8";
export default () => (input) => input;
//# sourceMappingURL=data:application/json,${encodeURIComponent(JSON.stringify({ version: 3, names: [], sources: ["warm-up"], mappings: "AAAA" }))}`;

/**
 * Runs calls of an empty function through a runner of its own, whose answers go nowhere. Between grants, of about a
 * millisecond, it asks whether the worker is needed, and then leaves the rest.
 */
export async function warmUp(output: Output, isNeeded: () => boolean): Promise<void> {
  process.setSourceMapsEnabled(true);
  const module = (await import(`data:text/javascript,${encodeURIComponent(EMPTY_MODULE)}`)) as { default: () => (input: unknown) => unknown };
  const nowhere: AnswerLine = { send: (message, ...body) => void encodeFrame(message, body), flush: () => undefined };
  const runner = new Runner(nowhere, output);
  runner.begin(module.default(), { concurrency: 1, timed: false });
  const inputs = encodeValues(Array.from({ length: CALLS_PER_GRANT }, (_, index) => index));
  const decoder = new FrameDecoder();
  for (let grantId = 1; grantId <= GRANTS; grantId++) {
    const header = { type: "run", grantId, first: 0, from: 0, to: CALLS_PER_GRANT, attempt: 1 } as const;
    for (const frame of decoder.push(Buffer.concat(encodeFrame(header, [inputs])))) {
      const message = v.parse(nodeToWorker, frame.header);
      if (message.type === "run") runner.enqueue(message, frame.body);
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (isNeeded()) return;
  }
}

