/**
 * The conditions of `exports` that hold in this program beside those that a bundler for Node takes by itself: a function
 * shall import on a worker what it imports here. Without any, esbuild adds `module`, which Node does not know.
 */
export function importConditions(execArgv: readonly string[] = process.execArgv, nodeOptions = process.env["NODE_OPTIONS"] ?? ""): string[] {
  const { require_module: requiresModules = false } = process.features as { require_module?: boolean };
  const ofNode = requiresModules ? ["node-addons", "module-sync"] : ["node-addons"];
  return [...new Set([...ofNode, ...conditionsIn(nodeOptions.split(/\s+/)), ...conditionsIn(execArgv)])];
}

function conditionsIn(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    if (arg === "-C" || arg === "--conditions") return args[index + 1] ?? [];
    return /^(?:--conditions=|-C)(.+)$/.exec(arg)?.[1] ?? [];
  });
}
