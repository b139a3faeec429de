/** Requests that may be made again: whoever is asked may be away for a while. */
import { BurlaError, messageOf } from "@burla/protocol";

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
const PATIENCE_MS = 60_000;
/** What passes, beside errors of the server: request timeout, too many requests. */
const PASSING = new Set([408, 429]);

/**
 * @param whom for the error.
 * @param isFine statuses that are an answer beside those that say success.
 * @throws BurlaError BURLA_QUEUE when it is refused, or nobody answers for long.
 */
export async function requestPatiently(whom: string, request: () => Promise<Response>, isFine: readonly number[] = []): Promise<Response> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(MAX_RETRY_MS, retryMs * 2)) {
    const answer = await request().catch((error: unknown) => messageOf(error));
    if (typeof answer !== "string" && (answer.ok || isFine.includes(answer.status))) return answer;
    const problem = typeof answer === "string" ? answer : `${answer.status} ${(await answer.text()).slice(0, 500)}`;
    const isFinal = typeof answer !== "string" && answer.status < 500 && !PASSING.has(answer.status);
    if (isFinal || performance.now() > deadlineMs) throw new BurlaError("BURLA_QUEUE", `${whom} cannot keep or give a large value: ${problem}`);
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}
