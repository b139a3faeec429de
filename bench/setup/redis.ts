import { attempt } from "./command.ts";
import { aptInstall } from "./debian.ts";

/** Makes sure that a Redis server is installed. It is started, and ended, by the runner that needs it. */
export async function ensureRedis(): Promise<{ version: string } | { reason: string }> {
  const installed = await redisVersion();
  if (installed !== undefined) return { version: installed };
  const reason = await aptInstall("redis-server");
  const version = await redisVersion();
  return version === undefined ? { reason: reason ?? "redis-server does not start" } : { version };
}

async function redisVersion(): Promise<string | undefined> {
  const { ok, text } = await attempt("redis-server", ["--version"]);
  return ok ? /v=([\d.]+)/.exec(text)?.[1] : undefined;
}
