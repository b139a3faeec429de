/** How a framed connection begins: one HTTP request with a token, upgraded. No retries: that is the caller's policy. */
import type { Duplex } from "node:stream";
import { placeOf, requestOf, type MainPlace } from "./dial.ts";
import { BurlaError, messageOf } from "./errors.ts";
import { afterListening } from "./listening.ts";
import { CONNECT_PATH, ROLE_HEADER, UPGRADE_PROTOCOL } from "./routes.ts";

export interface UpgradeOptions extends MainPlace {
  readonly token: string;
  readonly role: "client" | "node";
  readonly timeoutMs: number;
}

/**
 * @returns the raw stream, for a `Connection`.
 * @throws BurlaError BURLA_UNAUTHORIZED when the token is refused, BURLA_UNREACHABLE for all else.
 */
export async function openStream({ token, role, timeoutMs, ...main }: UpgradeOptions): Promise<Duplex> {
  const place = placeOf(main.url);
  const headers = { connection: "upgrade", upgrade: UPGRADE_PROTOCOL, authorization: `Bearer ${token}`, [ROLE_HEADER]: role };
  const request = requestOf(main, CONNECT_PATH, { headers });
  const deadline = afterListening(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
  return new Promise<Duplex>((resolve, reject) => {
    request.on("upgrade", (_response, socket, head) => {
      socket.setNoDelay(true);
      if (head.byteLength > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on("response", (response) => {
      response.resume();
      const code = response.statusCode === 401 || response.statusCode === 403 ? "BURLA_UNAUTHORIZED" : "BURLA_UNREACHABLE";
      reject(new BurlaError(code, `the cluster at ${place} answered ${response.statusCode ?? "nothing"}`));
    });
    request.on("error", (cause) => reject(new BurlaError("BURLA_UNREACHABLE", `no cluster at ${place}: ${messageOf(cause)}`, { cause })));
    request.end();
  }).finally(() => deadline.stop());
}
