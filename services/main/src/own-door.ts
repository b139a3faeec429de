/**
 * The door of main for the user's own programs: a socket in a folder that is the user's and closed to others. Unlike a port,
 * nobody else can take it when main has died, so they show their tokens here.
 */
import { chmodSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { dirname } from "node:path";
import { mainSocketPath, makeSocketsFolder, removeSocketsFolder } from "@burla/protocol";
import { serveSocket, type ServerOptions } from "./server.ts";

/** Whether it is still there is looked at this often: somebody may take it away, such as who tidies up temporary files. */
const LOOK_MS = 1_000;

export class OwnDoor {
  readonly path: string;
  readonly #options: ServerOptions;
  readonly #directory: string;
  readonly #looking: NodeJS.Timeout;
  #server: Server | null = null;
  #inode = 0;

  /** Elsewhere Node.js has named pipes, which are in no folder. */
  static get isPossible(): boolean {
    return process.platform !== "win32";
  }

  /** @throws Error when the folder is not this user's, or the system refuses. */
  static async open(options: ServerOptions, directory: string): Promise<OwnDoor> {
    const door = new OwnDoor(options, directory);
    await door.#listen();
    return door;
  }

  private constructor(options: ServerOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.path = mainSocketPath(directory);
    this.#looking = setInterval(() => void this.#look(), LOOK_MS).unref();
  }

  /** Whoever has come in stays. */
  close(): void {
    clearInterval(this.#looking);
    this.#server?.close();
    removeSocketsFolder(this.#directory);
  }

  async #listen(): Promise<void> {
    makeSocketsFolder(this.#directory);
    chmodSync(dirname(this.path), 0o700);
    rmSync(this.path, { recursive: true, force: true });
    this.#server = await serveSocket(this.#options, this.path);
    chmodSync(this.path, 0o600);
    this.#inode = this.#inodeThere();
  }

  async #look(): Promise<void> {
    if (this.#server === null || this.#inodeThere() === this.#inode) return;
    // Closing takes away what is at the path.
    this.#server.close();
    this.#server = null;
    await this.#listen().catch((error: unknown) => {
      this.#options.log.error({ error }, "main's socket is gone and cannot be made anew");
      this.#server = null;
    });
  }

  #inodeThere(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.ino ?? -1;
  }
}
