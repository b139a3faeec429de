/** Function capture: from a live function to a bundle and the values it closes over. */
export { captureFunction, CaptureError, type Capture, type CaptureOptions } from "./capture.ts";
export { bundleCapture, type Bundle } from "./bundle.ts";
export { captureExport, captureFromSource, exportWantsContext } from "./from-source.ts";
export { captureExpression, captureRange } from "./expression.ts";
export { loadEsbuild, withEsbuild } from "./esbuild.ts";
export { explainJson, explainText } from "./explain.ts";
