import { attempt, lastLine } from "./command.ts";

/** Installs a Debian package. Returns why it could not, or undefined. */
export async function aptInstall(name: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return `Debian's ${name} is not installed, and only root may install it`;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = () => attempt("apt-get", ["install", "-y", "--no-install-recommends", name], env);
  let outcome = await install();
  if (!outcome.ok) {
    await attempt("apt-get", ["update"], env);
    outcome = await install();
  }
  return outcome.ok ? undefined : `apt-get install ${name}: ${lastLine(outcome.text)}`;
}
