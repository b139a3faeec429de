/** Function capture: from a live function to a bundle and the values it closes over. */
export { captureFunction, CaptureError, type Capture } from "./capture.ts";
export { bundleCapture, type Bundle } from "./bundle.ts";
export { explainJson, explainText } from "./explain.ts";
export { captureExport, captureFromSource } from "./from-source.ts";
