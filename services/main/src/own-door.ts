/**
 * The door of main for the user's own programs: a socket in a folder that is the user's and closed to others. Unlike a port,
 * nobody else can take it when main has died, so they show their tokens here.
 */
import { chmodSync, rmSync, statSync, watch, type FSWatcher } from "node:fs";
import type { Server } from "node:http";
import { dirname } from "node:path";
import { mainSocketPath, makeSocketsFolder, messageOf, removeSocketsFolder } from "@burla/protocol";
import { serveSocket, type ServerOptions } from "./server.ts";

/** Whoever tidies up temporary files takes away a folder with all that is in it: the system tells of the first file, */
const TIDY_MS = 50;
/** and may tell of nothing. */
const LOOK_MS = 1_000;
const NONE = 0;

export class OwnDoor {
  readonly path: string;
  readonly #options: ServerOptions;
  readonly #directory: string;
  readonly #looking: NodeJS.Timeout;
  #soon: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  #server: Server | undefined;
  #inode = NONE;
  #isOpening = false;
  #isClosed = false;

  /** Windows has named pipes, which are in no folder. */
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
    this.#isClosed = true;
    clearInterval(this.#looking);
    clearTimeout(this.#soon);
    this.#watcher?.close();
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
    this.#watch();
  }

  /** Where the system has no watches left, there is still the timer. */
  #watch(): void {
    this.#watcher?.close();
    const lookSoon = () => {
      clearTimeout(this.#soon);
      this.#soon = setTimeout(() => void this.#look(), TIDY_MS).unref();
    };
    try {
      this.#watcher = watch(dirname(this.path), { persistent: false }, lookSoon).on("error", () => undefined);
    } catch {
      this.#watcher = undefined;
    }
  }

  /** Made anew where it is not there any more; until that is possible, it is tried again. */
  async #look(): Promise<void> {
    if (this.#isClosed || this.#isOpening || this.#inodeThere() === this.#inode) return;
    this.#isOpening = true;
    // Closing takes away what is at the path.
    this.#server?.close();
    try {
      await this.#listen();
    } catch (error) {
      if (this.#inode !== NONE) this.#options.log.error({ error: messageOf(error) }, "main's socket is gone and cannot be made anew");
      this.#inode = NONE;
    } finally {
      this.#isOpening = false;
      if (this.#isClosed) this.close();
    }
  }

  #inodeThere(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.ino ?? -1;
  }
}
