/** The platforms that VS Code names, and the package that holds esbuild's program for each. */
export const TARGETS: Readonly<Record<string, string>> = {
  "linux-x64": "@esbuild/linux-x64",
  "linux-arm64": "@esbuild/linux-arm64",
  "linux-armhf": "@esbuild/linux-arm",
  // esbuild's program is linked statically: it needs no C library.
  "alpine-x64": "@esbuild/linux-x64",
  "alpine-arm64": "@esbuild/linux-arm64",
  "darwin-x64": "@esbuild/darwin-x64",
  "darwin-arm64": "@esbuild/darwin-arm64",
  "win32-x64": "@esbuild/win32-x64",
  "win32-arm64": "@esbuild/win32-arm64",
};

/** This machine's. */
export function ownTarget(): string {
  const architecture = process.arch === "arm" ? "armhf" : process.arch;
  return `${process.platform}-${architecture}`;
}
