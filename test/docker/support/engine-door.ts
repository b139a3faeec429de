/** A socket before the one of an engine, which sees what passes: so that an engine can be made to die at a certain point. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Passed {
  /** Bytes that went to the engine, on all connections. */
  readonly sentBytes: number;
  /** The last that came from it. */
  readonly received: string;
}

export class EngineDoor {
  readonly #directory = mkdtempSync(join(tmpdir(), "burla-door-"));
  readonly #server: Server;
  #sentBytes = 0;

  /** @param onPassed told of each piece before it is handed on. */
  constructor(engineSocket: string, onPassed: (passed: Passed) => void) {
    this.#server = createServer((near) => {
      const far = connect(engineSocket);
      near.on("data", (piece: Buffer) => {
        this.#sentBytes += piece.byteLength;
        onPassed({ sentBytes: this.#sentBytes, received: "" });
      });
      far.on("data", (piece: Buffer) => onPassed({ sentBytes: this.#sentBytes, received: piece.toString("latin1") }));
      for (const [from, to] of [[near, far], [far, near]] as const) {
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
      }
    });
  }

  /** Opens it. @returns its address, for DOCKER_HOST. */
  async open(): Promise<string> {
    const path = join(this.#directory, "s");
    this.#server.listen(path);
    await once(this.#server, "listening");
    return `unix://${path}`;
  }

  close(): void {
    this.#server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
