/** The environment for programs that are started under the user's Node, or under the editor's own used as Node. */

/** The editor's options are for its own program. */
export function nodeEnvironment(isEditor: boolean): NodeJS.ProcessEnv {
  const inherited = { ...process.env };
  for (const name of ["NODE_OPTIONS", "ELECTRON_RUN_AS_NODE", "VSCODE_ESM_ENTRYPOINT", "VSCODE_NLS_CONFIG"]) Reflect.deleteProperty(inherited, name);
  return isEditor ? { ...inherited, ELECTRON_RUN_AS_NODE: "1" } : inherited;
}
