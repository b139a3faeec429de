/** Where Jupyter kernels are: a server by URL and token. Local kernels are the same to whoever uses them (`host-process.ts`). */
import { WebSocket as Socket } from "ws";
import { BurlaError } from "@burla/protocol";
import { ServerConnection } from "./library.ts";
import type { ServerConnectionTypes } from "./library.ts";

/** Servers let a line wait for up to a minute until its kernel has told its version. */
const HANDSHAKE_TIMEOUT_MS = 90_000;

export interface JupyterEndpoint {
  readonly settings: ServerConnectionTypes.ISettings;
  /** For people. */
  readonly name: string;
  /** Its kernels end with this process. */
  readonly isLocal: boolean;
}

/** Nagle's algorithm of such a server meets delayed acknowledgements: each small execution then takes 48 ms (README). */
export function jupyterServer({ url, token }: { url: string; token: string }): JupyterEndpoint {
  const { base, token: tokenOfUrl } = baseOf(url);
  const ownToken = token === "" ? tokenOfUrl : token;
  const settings = ServerConnection.makeSettings({
    baseUrl: base.href,
    wsUrl: base.href.replace(/^http/, "ws"),
    token: ownToken,
    // In a header: servers log URLs.
    appendToken: false,
    WebSocket: socketWith(ownToken) as unknown as typeof WebSocket,
  });
  return { settings, name: base.host, isLocal: false };
}

/** People copy the address that Jupyter prints, which has the token in it. */
function baseOf(text: string): { base: URL; token: string } {
  try {
    const url = new URL(text);
    if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError(url.protocol);
    const token = url.searchParams.get("token") ?? "";
    url.search = "";
    url.hash = "";
    url.pathname = url.pathname.replace(/\/(lab|tree)\/?$/, "/");
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    return { base: url, token };
  } catch (error) {
    throw new BurlaError("BURLA_KERNEL", `${JSON.stringify(text)} is not the address of a Jupyter server`, {
      cause: error, cure: "Give it as Jupyter prints it: http://HOST:PORT/ and its token.",
    });
  }
}

/** A socket that brings the token in a header, and whose handler cannot end the process: the library throws in it. */
function socketWith(token: string): new (url: string | URL, protocols: string | string[]) => Socket {
  return class extends Socket {
    constructor(url: string | URL, protocols: string | string[]) {
      super(url, protocols, { headers: token === "" ? {} : { Authorization: `token ${token}` }, maxPayload: 0, handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
      const set = (handler: (event: unknown) => void) => Reflect.set(Socket.prototype, "onmessage", guarded(handler), this);
      Object.defineProperty(this, "onmessage", { set });
    }
  };
}

/** What is no message of a kernel is dropped. An execution that it should have ended is ended by the fence. */
function guarded(handler: (event: unknown) => void): (event: unknown) => void {
  return (event) => {
    try {
      handler(event);
    } catch {
      // See above.
    }
  };
}
