/** Begins the names of our own variables, which are about this process alone: addresses, tokens, the state folder. */
export const OWN_PREFIX = "BURLA_";

/** The environment that a program of ours hands to its children: what a user's program expects, without secrets of ours. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) {
    if (name.startsWith(OWN_PREFIX)) Reflect.deleteProperty(environment, name);
  }
  // Costs 38 ms at each start of Node 20, and workers that need it get it through the option `env`.
  Reflect.deleteProperty(environment, "NODE_EXTRA_CA_CERTS");
  Reflect.deleteProperty(environment, "NODE_OPTIONS");
  return environment;
}
