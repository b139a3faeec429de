import { createHash } from "node:crypto";
export function captureFunction(fn: Function): { name: string; values: Uint8Array; text: string } {
  return { name: fn.name, values: new Uint8Array(0), text: fn.toString() };
}
export async function bundleCapture(capture: { text: string }, _o: object) {
  const code = Buffer.from(`const __name=(f)=>f;\nexport default () => (${capture.text});`);
  return { id: createHash("sha256").update(code).digest("hex"), code, externals: [] };
}
