import { pack } from "tar-stream";
import type { Readable } from "node:stream";
import { contentOf, type RootEntry } from "./root-files.ts";

/** A tar archive of the entries; the same entries give the same bytes. Everything belongs to root. */
export function tarOf(entries: readonly RootEntry[]): Readable {
  const tar = pack();
  const common = { uid: 0, gid: 0, mtime: new Date(0) };
  for (const entry of entries) {
    if (entry.kind === "folder") tar.entry({ ...common, name: entry.path, type: "directory", mode: entry.mode });
    else if (entry.kind === "link") tar.entry({ ...common, name: entry.path, type: "symlink", linkname: entry.target });
    else tar.entry({ ...common, name: entry.path, mode: entry.mode }, contentOf(entry.source));
  }
  tar.finalize();
  return tar;
}
