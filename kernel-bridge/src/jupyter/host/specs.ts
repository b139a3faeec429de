/** The kernels of this machine: the kernelspecs in Jupyter's data folders, and any Python interpreter that has ipykernel. */
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import * as v from "valibot";

const kernelSpecSchema = v.object({
  argv: v.pipe(v.array(v.string()), v.minLength(1)),
  display_name: v.fallback(v.string(), ""),
  language: v.fallback(v.string(), ""),
  env: v.fallback(v.record(v.string(), v.string()), {}),
  interrupt_mode: v.fallback(v.picklist(["signal", "message"]), "signal"),
  metadata: v.fallback(v.record(v.string(), v.unknown()), {}),
});
export type KernelSpecFile = v.InferOutput<typeof kernelSpecSchema>;

/** A kernel of this name is not a kernelspec but `python -m ipykernel_launcher` of the interpreter that follows. */
const INTERPRETER = "interpreter:";

export function interpreterKernel(pythonPath: string): string {
  return INTERPRETER + pythonPath;
}

/** The first folder that has a name wins, as in Jupyter. A broken kernelspec is as one that is not there. */
export async function findSpecs(folders: readonly string[] = dataFolders()): Promise<Map<string, KernelSpecFile>> {
  const found = new Map<string, KernelSpecFile>();
  for (const folder of folders) {
    const names = await readdir(join(folder, "kernels")).catch(() => []);
    for (const name of names.sort()) {
      const spec = found.has(name) ? undefined : await readSpec(join(folder, "kernels", name));
      if (spec !== undefined) found.set(name, spec);
    }
  }
  return found;
}

export async function specOf(name: string): Promise<KernelSpecFile | undefined> {
  if (!name.startsWith(INTERPRETER)) return (await findSpecs()).get(name);
  const python = name.slice(INTERPRETER.length);
  return {
    argv: [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    display_name: python, language: "python", env: {}, interrupt_mode: "signal", metadata: {},
  };
}

async function readSpec(folder: string): Promise<KernelSpecFile | undefined> {
  try {
    const parsed = v.safeParse(kernelSpecSchema, JSON.parse(await readFile(join(folder, "kernel.json"), "utf8")));
    if (!parsed.success) return undefined;
    const argv = parsed.output.argv.map((word) => word.replaceAll("{resource_dir}", folder));
    return { ...parsed.output, argv };
  } catch {
    return undefined;
  }
}

/** Where Jupyter looks, the user's own first. */
export function dataFolders(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string[] {
  const own = env["JUPYTER_DATA_DIR"] ?? userFolder(env, platform);
  const ofEnvironment = [env["VIRTUAL_ENV"], env["CONDA_PREFIX"]].filter((prefix) => prefix !== undefined).map((prefix) => join(prefix, "share", "jupyter"));
  const ofSystem = platform === "win32" ? [join(env["PROGRAMDATA"] ?? "C:\\ProgramData", "jupyter")] : ["/usr/local/share/jupyter", "/usr/share/jupyter"];
  return [...(env["JUPYTER_PATH"]?.split(delimiter) ?? []), own, ...ofEnvironment, ...ofSystem].filter((folder) => folder !== "");
}

function userFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === "win32") return join(env["APPDATA"] ?? homedir(), "jupyter");
  if (platform === "darwin") return join(homedir(), "Library", "Jupyter");
  return join(env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "jupyter");
}
