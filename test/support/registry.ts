/** A registry of npm packages for a test: says what it is asked for, and lets it wait. */
import { createHash } from "node:crypto";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

export type Files = Readonly<Record<string, string>>;

interface Release {
  readonly manifest: Record<string, unknown>;
  readonly tarball: Buffer;
}

export class Registry {
  /** Paths that were asked for, in this order. */
  readonly requests: string[] = [];
  readonly #releases = new Map<string, Release>();
  readonly #server: Server;
  readonly #held: (() => void)[] = [];
  #holds = false;
  #onHeld: () => void = () => undefined;

  constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(request.url ?? "");
      const answer = () => this.#answer(decodeURIComponent(request.url ?? "").slice(1), response);
      if (!this.#holds) return answer();
      this.#held.push(answer);
      this.#onHeld();
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async add(manifest: Record<string, unknown> & { name: string; version: string }, files: Files): Promise<void> {
    const tar = pack();
    for (const [path, text] of Object.entries({ ...files, "package.json": JSON.stringify(manifest) })) tar.entry({ name: `package/${path}` }, text);
    tar.finalize();
    this.#releases.set(manifest.name, { manifest, tarball: gzipSync(await buffer(tar)) });
  }

  /** From now on nobody is answered. Resolves when somebody waits. */
  hold(): Promise<void> {
    this.#holds = true;
    return new Promise((resolve) => (this.#onHeld = resolve));
  }

  /** Answers those who wait, and from now on all others. */
  release(): void {
    this.#holds = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(path: string, response: ServerResponse): void {
    const [name = "", file] = path.split("/-/");
    const release = this.#releases.get(name);
    if (release === undefined) return void response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ error: "not found" }));
    if (file !== undefined) return void response.end(release.tarball);
    const { manifest, tarball } = release;
    const version = manifest["version"] as string;
    const hasInstallScript = Object.hasOwn((manifest["scripts"] as object | undefined) ?? {}, "install");
    const dist = { tarball: `${this.url}${name}/-/${version}.tgz`, integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}` };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, hasInstallScript, dist } } }));
  }
}
