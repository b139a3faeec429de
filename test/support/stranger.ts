/** Somebody who listens where main was, and writes down all that is said there. */
import assert from "node:assert/strict";
import { createServer, type ListenOptions } from "node:net";
import { writeFileSync } from "node:fs";
import type { TestCluster } from "./cluster.ts";
import { pause } from "./until.ts";

export class Stranger {
  readonly #secrets: readonly string[];
  #heard = "";
  readonly #server = createServer((socket) => socket.on("error", () => undefined).on("data", (piece) => (this.#heard += piece.toString("latin1"))));

  private constructor({ token, nodeToken }: TestCluster["address"]) {
    this.#secrets = [token, nodeToken];
  }

  /**
   * Kills main and takes its port before the next one does.
   * @param hasPid whether main's pid is that of some other program by then.
   */
  static async takesPlaceOf(cluster: TestCluster, { hasPid = false } = {}): Promise<Stranger> {
    const file = cluster.address;
    process.kill(cluster.main.pid, "SIGKILL");
    if (hasPid) writeFileSync(cluster.connectionFile, JSON.stringify({ ...file, pid: process.pid }));
    return Stranger.listens(cluster, { port: Number(new URL(file.url).port), host: "127.0.0.1" }, file);
  }

  /** As soon as nobody else does. */
  static async listens(cluster: TestCluster, place: ListenOptions, file = cluster.address): Promise<Stranger> {
    const stranger = new Stranger(file);
    while (!(await stranger.#listen(place))) await pause(2);
    return stranger;
  }

  #listen(place: ListenOptions): Promise<boolean> {
    return new Promise((resolve) => {
      this.#server.once("error", () => resolve(false));
      this.#server.listen(place, () => {
        this.#server.removeAllListeners("error");
        resolve(true);
      });
    });
  }

  /** @throws AssertionError when anybody has told it a token. */
  heardNothing(): void {
    assert.doesNotMatch(this.#heard, /bearer/i);
    for (const secret of this.#secrets) assert.ok(!this.#heard.includes(secret), "a token of the cluster");
  }

  close(): void {
    this.#server.close();
  }
}
