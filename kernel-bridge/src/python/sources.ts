/** The Python that is put into a kernel: the client, and what runs cells, as texts. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES = ["burla", "burla_protocol", "burla_kernel"];
/** Executed as they are, not imported. */
const SCRIPTS = { bootstrap: join("burla_kernel", "bootstrap.py"), workerHalf: join("burla_kernel", "worker_half.py") };

export interface PythonSources {
  /** Changes with any of the texts. */
  readonly version: string;
  readonly modules: Readonly<Record<string, { readonly text: string; readonly isPackage: boolean }>>;
  readonly bootstrap: string;
  readonly workerHalf: string;
}

/** Folders of the source; a bundle has one folder with all packages. */
const SOURCE_FOLDERS = ["../../python/", "../../../protocol/python/"].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

/** @throws Error when a package is in none of the folders. */
export async function readSources(folders: readonly string[] = SOURCE_FOLDERS): Promise<PythonSources> {
  const texts = new Map((await Promise.all(folders.map(readFolder))).flat());
  const { bootstrap, workerHalf } = { bootstrap: take(texts, SCRIPTS.bootstrap), workerHalf: take(texts, SCRIPTS.workerHalf) };
  for (const name of PACKAGES) if (!texts.has(join(name, "__init__.py"))) throw new Error(`the Python package ${name} is not in ${folders.join(", ")}`);
  const hash = createHash("sha256").update(bootstrap).update(workerHalf);
  for (const [file, text] of [...texts].sort()) hash.update(file).update(text);
  return { version: hash.digest("hex").slice(0, 16), modules: Object.fromEntries([...texts].map(([file, text]) => moduleOf(file, text))), bootstrap, workerHalf };
}

async function readFolder(folder: string): Promise<[string, string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".py")).map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
  const wanted = files.filter((file) => PACKAGES.includes(file.split(sep)[0] ?? "") && !file.split(sep).includes("tests"));
  return Promise.all(wanted.map(async (file): Promise<[string, string]> => [file, await readFile(join(folder, file), "utf8")]));
}

function take(texts: Map<string, string>, file: string): string {
  const text = texts.get(file);
  if (text === undefined) throw new Error(`${file} is missing`);
  texts.delete(file);
  return text;
}

function moduleOf(file: string, text: string): [string, { text: string; isPackage: boolean }] {
  const parts = file.replace(/\.py$/, "").split(sep);
  const isPackage = parts.at(-1) === "__init__";
  return [(isPackage ? parts.slice(0, -1) : parts).join("."), { text, isPackage }];
}
