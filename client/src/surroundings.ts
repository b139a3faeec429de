/** What calls find around them: the folder and the environment of their caller, as they are at the call. */
import { readFileSync } from "node:fs";
import { BurlaError, charactersOf, MAX_ENVIRONMENT_CHARACTERS, MAX_VARIABLE_CHARACTERS, OWN_PREFIX, type JobSpec, type Variables } from "@burla/protocol";
import type { ClusterTarget } from "./cluster.ts";

export type Surroundings = Pick<JobSpec, "cwd" | "env" | "environment">;

/**
 * On the machine of the caller all of it; elsewhere only what the option `env` names, since the caller's variables may be
 * secrets that were never meant for other machines. A function in a container that starts a job has no machine in common
 * with its workers: there, what was set since the container began counts as named.
 * @param given the option `env`.
 * @throws BurlaError BURLA_TOO_LARGE
 */
export function surroundingsOf({ place }: Pick<ClusterTarget, "place">, given: Readonly<Record<string, string | undefined>>): Surroundings {
  const named: Variables = Object.entries(given).map(([name, value]) => [name, value ?? null]);
  const environment = place === "this-machine" ? variablesOf(process.env) : null;
  const env = place === "same-image" ? [...new Map([...changedVariables(), ...named])] : named;
  checkSize([...(environment ?? []), ...env]);
  return { cwd: place === "elsewhere" ? null : currentFolder(), env, environment };
}

function variablesOf(env: NodeJS.ProcessEnv): Variables {
  return Object.entries(env).flatMap(([name, value]): Variables => (name === "" || name.startsWith(OWN_PREFIX) || value === undefined ? [] : [[name, value]]));
}

/** Those that this process was not started with. */
function changedVariables(): Variables {
  const before = new Map(startVariables());
  const now = variablesOf(process.env);
  const there = new Set(now.map(([name]) => name));
  const gone = [...before.keys()].filter((name) => !there.has(name) && !name.startsWith(OWN_PREFIX));
  return [...now.filter(([name, value]) => before.get(name) !== value), ...gone.map((name): Variables[number] => [name, null])];
}

function startVariables(): [string, string][] {
  try {
    const texts = readFileSync("/proc/self/environ", "utf8").split("\0").filter((text) => text.includes("="));
    return texts.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]);
  } catch {
    return [];
  }
}

/** Null when it is gone. */
function currentFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

function checkSize(variables: Variables): void {
  const [largest] = variables.map(([name, value]) => ({ name, characters: value?.length ?? 0 })).sort((a, b) => b.characters - a.characters);
  if (largest === undefined) return;
  const cure = `Take ${largest.name} out of the environment before the call, and pass what it holds as an input.`;
  if (largest.characters > MAX_VARIABLE_CHARACTERS) {
    throw new BurlaError("BURLA_TOO_LARGE", `the variable ${largest.name} has ${largest.characters} characters, over the limit of ${MAX_VARIABLE_CHARACTERS}`, { cure });
  }
  const characters = charactersOf(variables);
  if (characters <= MAX_ENVIRONMENT_CHARACTERS) return;
  throw new BurlaError("BURLA_TOO_LARGE", `the environment of the calls has ${characters} characters, over the limit of ${MAX_ENVIRONMENT_CHARACTERS}; the largest variable, ${largest.name}, has ${largest.characters}`, { cure });
}
