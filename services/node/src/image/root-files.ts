/** The files of an image that holds this machine's own Node and what it needs: made without a registry or a network. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";

/** One entry of an image's file tree. Paths have no leading slash. */
export type RootEntry =
  | { readonly kind: "file"; readonly path: string; readonly source: string | Buffer; readonly mode: number }
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** Where Debian's and others' certificates of authorities are. */
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
/** glibc loads them by name: the list of a program's libraries does not show them. */
const NAME_SERVICES = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];
const PASSWD = "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/false\n";
const GROUP = "root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n";
const NAME_SERVICE_SWITCH = "passwd: files\ngroup: files\nhosts: files dns\n";
/** One tree for programs and one for libraries, as Linux distributions have it. */
const MERGED = { bin: "usr/bin", sbin: "usr/bin", lib: "usr/lib", lib64: "usr/lib64" } as const;

/**
 * Node, its libraries, a shell if there is one, users and certificates.
 * @param more what the image has beside that, and which of it is linked with libraries of this machine.
 * @throws Error when the program cannot run in a Linux container.
 */
export function rootFiles(nodeBinary: string, worker: Buffer, more: { readonly entries: readonly RootEntry[]; readonly linked: readonly string[] } = { entries: [], linked: [] }): RootEntry[] {
  const shell = existsSync("/bin/sh") ? realpathSync("/bin/sh") : null;
  // Install scripts of packages begin with it.
  const finder = existsSync("/usr/bin/env") ? realpathSync("/usr/bin/env") : null;
  const programs = [nodeBinary, shell, finder].filter((program) => program !== null);
  const libraries = new Set(librariesOf([...programs, ...more.linked]));
  for (const name of NAME_SERVICES) {
    for (const folder of foldersOf(libraries)) if (existsSync(`${folder}/${name}`)) libraries.add(`${folder}/${name}`);
  }
  return [
    ...["usr", "usr/bin", "usr/lib", "usr/lib64", "etc", "etc/ssl", "etc/ssl/certs", "proc", "sys", "dev", "run", "burla", "home", "home/node"].map(folder),
    { kind: "folder", path: "tmp", mode: 0o1777 },
    ...Object.entries(MERGED).map(([path, target]) => ({ kind: "link" as const, path, target })),
    file("usr/bin/node", nodeBinary, 0o755),
    ...(shell === null ? [] : [file("usr/bin/sh", shell, 0o755)]),
    ...(finder === null ? [] : [file("usr/bin/env", finder, 0o755)]),
    ...[...libraries].map((library) => file(merged(library), realpathSync(library), 0o755)),
    file("etc/passwd", Buffer.from(PASSWD)),
    file("etc/group", Buffer.from(GROUP)),
    file("etc/nsswitch.conf", Buffer.from(NAME_SERVICE_SWITCH)),
    ...(existsSync(CERTIFICATES) ? [file(CERTIFICATES.slice(1), CERTIFICATES)] : []),
    file("burla/worker.mjs", worker),
    ...more.entries,
  ];
}

function folder(path: string): RootEntry {
  return { kind: "folder", path, mode: 0o755 };
}

/** @param source the path of a file of this machine, or the content itself. */
export function file(path: string, source: string | Buffer, mode = 0o644): RootEntry {
  return { kind: "file", path, source, mode };
}

/** The bytes of a file entry. */
export function contentOf(source: string | Buffer): Buffer {
  return typeof source === "string" ? readFileSync(source) : source;
}

/** What the dynamic loader would load, the loader included. A static program has none. */
function librariesOf(programs: readonly string[]): string[] {
  const { stdout, error } = spawnSync("ldd", programs, { encoding: "utf8" });
  if (error !== undefined) throw new Error(`the libraries of ${programs.join(", ")} cannot be listed: ${error.message}`);
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? []);
}

function foldersOf(files: Iterable<string>): Set<string> {
  return new Set([...files].map((path) => path.slice(0, path.lastIndexOf("/"))));
}

/** `/lib/x.so` is `usr/lib/x.so`, the former being a link to a folder. */
function merged(path: string): string {
  const [first = "", ...rest] = path.slice(1).split("/");
  const target: string = MERGED[first as keyof typeof MERGED] ?? first;
  return [target, ...rest].join("/");
}
