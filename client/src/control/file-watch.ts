/** Says when a file may have appeared, changed or gone, also while its folder does not exist. Told by the operating system. */
import { statSync, unwatchFile, watch, watchFile, type FSWatcher } from "node:fs";
import { basename, dirname, relative, sep } from "node:path";

/** Where the operating system has no watches left, the file is looked at this often. */
const LOOK_MS = 2_000;

interface Folder {
  readonly path: string;
  /** Another one of the same name has another. */
  readonly inode: number;
}

export class FileWatch {
  readonly #file: string;
  readonly #onChange: () => void;
  #watcher: FSWatcher | null = null;
  #watched: Folder = { path: "", inode: 0 };
  #closed = false;

  constructor(file: string, onChange: () => void) {
    this.#file = file;
    this.#onChange = () => {
      if (!this.#closed) onChange();
    };
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    unwatchFile(this.#file, this.#onChange);
  }

  /** Watches the file's folder, or the nearest one above it that exists: until the next one appears. */
  #arm(): void {
    for (let folder = this.#nearest(); !this.#closed && !isSame(folder, this.#watched); folder = this.#nearest()) {
      this.#watcher?.close();
      this.#watcher = null;
      this.#watched = folder;
      try {
        this.#watcher = this.#watch(folder.path);
      } catch {
        return this.#lookInstead();
      }
    }
  }

  #watch(folder: string): FSWatcher {
    // A folder that is removed is told of by its own name.
    const names = [relative(folder, this.#file).split(sep)[0], basename(folder)];
    const watcher = watch(folder, (_, name) => {
      if (name === null || names.includes(name)) this.#changed();
    });
    return watcher.on("error", () => {
      this.#watched = { path: "", inode: 0 };
      this.#changed();
    });
  }

  #changed(): void {
    this.#arm();
    this.#onChange();
  }

  #lookInstead(): void {
    unwatchFile(this.#file, this.#onChange);
    watchFile(this.#file, { interval: LOOK_MS }, this.#onChange);
  }

  #nearest(): Folder {
    for (let path = dirname(this.#file); ; path = dirname(path)) {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory() === true || dirname(path) === path) return { path, inode: found?.ino ?? 0 };
    }
  }
}

function isSame(a: Folder, b: Folder): boolean {
  return a.path === b.path && a.inode === b.inode;
}
