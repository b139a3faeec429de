/** Chooses the one build of ZeroMQ's addon that a package for a platform carries. */

export interface AddonPlatform {
  readonly os: string;
  readonly arch: string;
  readonly libc: string;
}

const LIBC: Readonly<Record<string, string>> = { linux: "glibc", alpine: "musl", darwin: "libc", win32: "msvc" };
/** Of Node 20. The addon's interface (Node-API) is the same for all later ones. */
const OLDEST_ABI = 115;
/** Those for Linux with this number are built against glibc 2.25, the others against 2.38, which Debian 12 does not have. */
const PORTABLE_ABI = 127;

/** Of a platform as VS Code names it. */
export function platformOf(target: string): AddonPlatform {
  const [system = "", arch = ""] = target.split("-");
  return { os: system === "alpine" ? "linux" : system, arch: arch === "armhf" ? "arm" : arch, libc: LIBC[system] ?? "" };
}

/** The portable one, else the oldest that fits: both run on every newer Node. Null when the package has none, as for 32-bit ARM. */
export function addonFor(manifest: Readonly<Record<string, string>>, platform: AddonPlatform): { readonly key: string; readonly file: string } | null {
  const fitting = Object.entries(manifest).flatMap(([key, path]) => {
    const { os, arch, libc, abi } = JSON.parse(key) as AddonPlatform & { readonly abi: number };
    const fits = os === platform.os && arch === platform.arch && libc === platform.libc && abi >= OLDEST_ABI;
    return fits ? [{ key, file: path.replaceAll("\\", "/"), abi }] : [];
  });
  const chosen = fitting.find(({ abi }) => abi === PORTABLE_ABI) ?? fitting.sort((a, b) => a.abi - b.abi)[0];
  return chosen === undefined ? null : { key: chosen.key, file: chosen.file };
}
