/** The public exports of `burla`. */
export { remoteParallelMap } from "./remote-parallel-map.ts";
export { attach } from "./attach.ts";
export { CaptureError } from "./capture/errors.ts";
export { BurlaError, TimeoutError, type ErrorCode } from "@burla/protocol";
export type {
  AttachOptions, CallContext, ClusterAddress, Entry, Inputs, LogLine, MapFunction, MapOptions, Progress, RemoteResults, Settled, SetupContext,
} from "./types.ts";
