/**
 * The way to main for functions in containers that start jobs of their own: a socket in the folder that they see, since
 * they have no network. It lets through what a job's client says, with the token of a job that is here, and nothing else.
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type ClientRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { CONNECT_PATH, OPENING_MS, requestOf, ROLE_HEADER, ROUTES, socketUrl, UnknownPeers, UPGRADE_PROTOCOL } from "@burla/protocol";
import type { MainAddress } from "./main-address.ts";

const CHANNEL = new RegExp(`^${ROUTES.jobChannel.replace(":jobId", "[\\w-]+")}$`);
const DIAL_TIMEOUT_MS = 10_000;
/** Without a limit for a whole request: the body of a job's conversation ends with the job. */
const PATIENCE = { requestTimeout: 0, headersTimeout: OPENING_MS, connectionsCheckingInterval: 1_000 };

export interface MainProxyOptions {
  readonly path: string;
  /** Where main is at the moment. */
  readonly main: () => Pick<MainAddress, "url" | "certificate" | "socket">;
  /** Whether it is the token of a job that is here. */
  readonly isToken: (token: string) => boolean;
}

export class MainProxy {
  readonly #options: MainProxyOptions;
  readonly #server: Server;
  readonly #unknown = new UnknownPeers();

  constructor(options: MainProxyOptions) {
    this.#options = options;
    this.#server = createServer(PATIENCE, (request, response) => this.#forward(request, response));
    this.#server.on("connection", (socket) => this.#unknown.came(socket));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head));
  }

  /** For BURLA_URL. */
  get url(): string {
    return socketUrl(this.#options.path);
  }

  async listen(): Promise<void> {
    const { path } = this.#options;
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
    });
    // Another user's containers dial it; the folder of the node keeps everybody else out.
    chmodSync(path, 0o666);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#options.path, { force: true });
  }

  #mayPass({ headers, url = "", method }: IncomingMessage, isUpgrade: boolean): boolean {
    const token = /^Bearer ([\w-]{1,200})$/i.exec(headers.authorization ?? "")?.[1];
    if (token === undefined || !this.#options.isToken(token) || headers[ROLE_HEADER] === "node") return false;
    return isUpgrade ? url === CONNECT_PATH && headers.upgrade === UPGRADE_PROTOCOL : method === "POST" && CHANNEL.test(url);
  }

  /** @returns null where main is not known, or what listens in its place is not this user's. */
  #dial({ method = "GET", url = "", headers }: IncomingMessage): ClientRequest | null {
    try {
      const main = this.#options.main();
      return requestOf(main, url, { method, headers: { ...headers, host: new URL(main.url).host }, timeout: DIAL_TIMEOUT_MS });
    } catch {
      return null;
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refuse = (status: string) => void socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.on("error", () => socket.destroy());
    if (!this.#mayPass(request, true)) return refuse("401 Unauthorized");
    this.#unknown.known(request.socket);
    const dialled = this.#dial(request);
    if (dialled === null) return refuse("502 Bad Gateway");
    dialled.on("upgrade", (_response, main, first) => {
      main.setTimeout(0);
      main.setNoDelay(true);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE_PROTOCOL}\r\n\r\n`);
      if (first.byteLength > 0) socket.write(first);
      if (head.byteLength > 0) main.write(head);
      join(socket, main);
    });
    dialled.on("response", ({ statusCode = 502 }) => refuse(`${statusCode} Refused`));
    dialled.on("timeout", () => dialled.destroy());
    dialled.on("error", () => refuse("502 Bad Gateway"));
    dialled.end();
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#mayPass(request, false)) return void response.writeHead(403).end();
    this.#unknown.known(request.socket);
    const dialled = this.#dial(request);
    if (dialled === null) return void response.writeHead(502).end();
    dialled.on("response", (answer) => {
      dialled.setTimeout(0);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    dialled.on("timeout", () => dialled.destroy());
    dialled.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on("close", () => dialled.destroy());
    request.on("error", () => dialled.destroy());
    dialled.setNoDelay(true);
    // The other side answers before the body has come.
    dialled.flushHeaders();
    request.pipe(dialled);
  }
}

/** One ends with the other. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to);
  }
}
