/**
 * Where the files of this package lie: beside this one, unless a bundler has put its text into another program. Then they
 * are those of the package that is installed where that program is, if it is the same.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BurlaError } from "@burla/protocol";
import { VERSION } from "./version.ts";

/** Asked of the process: webpack takes calls of an imported one for its own, and leaves nothing of them. */
const { createRequire } = process.getBuiltinModule("node:module");

/** Undefined in a bundle of CommonJS. */
const HERE = import.meta.url as string | undefined;

/** The path of a file of this package, named from the folder in which all that is built lies. @throws BurlaError BURLA_UNREACHABLE */
export function ownFile(name: string): string {
  return fileURLToPath(ownUrl(name));
}

/** The same as a URL. @throws BurlaError BURLA_UNREACHABLE */
export function ownUrl(name: string): URL {
  return new URL(name, builtFolder());
}

/** A `require` that finds what this package depends on. */
export function ownRequire(): NodeJS.Require {
  try {
    return createRequire(builtFolder());
  } catch {
    return createRequire(programPlaces()[0] as string);
  }
}

/** What to do where packages lie in archives that only programs of Yarn's Plug'n'Play can look into. */
export const PNP_CURE = "Set `nodeLinker: node-modules` in .yarnrc.yml and run `yarn install`: workers, and the compiler of bundles, need packages in folders.";

/** Whether this program runs under Yarn's Plug'n'Play. */
export function isPlugAndPlay(): boolean {
  return process.versions["pnp"] !== undefined;
}

function builtFolder(): URL {
  if (isPlugAndPlay() && HERE !== undefined && /\.zip\/|__virtual__/.test(HERE)) {
    throw new BurlaError("BURLA_UNREACHABLE", "Yarn's Plug'n'Play keeps burla in an archive, from which the programs of its cluster cannot be started", { cure: PNP_CURE });
  }
  // While it is being worked on, this package runs from its sources, and only what is built is asked for its files.
  if (HERE !== undefined && (HERE.endsWith(".ts") || isBuilt(new URL(".", HERE)))) return new URL(".", HERE);
  const installed = programPlaces().map(installedFrom).find((folder) => folder !== undefined);
  if (installed !== undefined) return installed;
  throw new BurlaError("BURLA_UNREACHABLE", `burla ${VERSION} was bundled into ${programPlaces()[0]}, and the programs of its cluster are not installed where that is`, {
    cure: "Mark burla external for the bundler (esbuild: --external:burla; webpack: externals), and install it where the bundle runs.",
  });
}

function isBuilt(folder: URL): boolean {
  return existsSync(new URL("services/main.mjs", folder));
}

/** Files from which the program that holds this text may find packages. */
function programPlaces(): string[] {
  const places = [HERE?.startsWith("file:") === true ? fileURLToPath(HERE) : undefined, process.argv[1], join(process.cwd(), "program")];
  return places.filter((place): place is string => place !== undefined && place !== "");
}

/** Another version is no help: its services may speak otherwise. */
function installedFrom(place: string): URL | undefined {
  try {
    const manifest = createRequire(place).resolve("burla/package.json");
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    const folder = pathToFileURL(`${join(dirname(manifest), "dist")}/`);
    return version === VERSION && isBuilt(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}
