/**
 * What sister packages need beside the public exports: functions named by file, inputs from files, results as JSON. No
 * promise to users: it may change with any version.
 */
export { bundleCapture, captureExpression, captureRange, explainText, type Bundle, type Capture } from "./capture/index.ts";
export { writeBundle } from "./capture/on-disk.ts";
export { captureNamed, type FunctionName } from "./cli/function-file.ts";
export { failureOf, UsageError, type Failure } from "./cli/failure.ts";
export { openInputs, type InputFormat, type InputOptions } from "./cli/inputs/inputs.ts";
export type { ReadMode } from "./cli/inputs/files.ts";
export { linesOf } from "./lines.ts";
export { bytesText, countText, durationText } from "./cli/texts.ts";
export { errorToPlain, toJson } from "./cli/value-json.ts";
export { mapCapture } from "./map-capture.ts";
export { compileOptions } from "./options.ts";
export { attach } from "./attach.ts";
export type { ClusterAddress, LogLine, MapOptions, Progress, RemoteResults, Settled } from "./types.ts";
