/** What makes a Python kernel ready for the cluster, whoever runs its code. */
export { armWith, type PythonClient, type RunCode } from "./arm.ts";
export { readSources, type PythonSources } from "./sources.ts";
