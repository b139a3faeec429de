/** A value -> its forms by MIME type, the best one for whoever shows it. */
import { inspect } from "node:util";
import type { MimeBundle } from "../../../kernel.ts";
import { imageType, isSvg } from "./image.ts";
import { isTable, tableHtml, tableText } from "./table.ts";

/** An object that knows how it is shown: the method gives a bundle by MIME type, or a promise of one. */
const JUPYTER_DISPLAY = Symbol.for("Jupyter.display");
const MAX_TEXT_LENGTH = 256 * 1024;
/** What a cell or its file can carry. */
const MAX_RICH_LENGTH = 16 * 1024 * 1024;

/** Never rejects: a method of the value's own that throws is passed over. */
export async function bundleOf(value: unknown): Promise<MimeBundle> {
  const rich = await richForms(value).catch(() => undefined);
  if (rich === undefined || lengthOf(rich) > MAX_RICH_LENGTH) return { "text/plain": plainText(value) };
  return "text/plain" in rich ? rich : { ...rich, "text/plain": plainText(value) };
}

/** The value as a person reads it; what has parts, in colours. */
export function plainText(value: unknown): string {
  const text = safeInspect(value);
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}\u001b[0m …` : text;
}

async function richForms(value: unknown): Promise<MimeBundle | undefined> {
  if (typeof value === "string") return isSvg(value) ? { "image/svg+xml": value } : undefined;
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const own = await ownForms(value as Record<PropertyKey, unknown>);
  if (own !== undefined) return own;
  if (value instanceof Uint8Array) return imageForms(value);
  return isTable(value) ? { "text/html": tableHtml(value), "text/plain": tableText(value) } : undefined;
}

async function ownForms(value: Record<PropertyKey, unknown>): Promise<MimeBundle | undefined> {
  const forms = await answerOf(value, JUPYTER_DISPLAY);
  if (typeof forms === "object" && forms !== null) return { ...forms };
  for (const method of ["toHtml", "toHTML", "_toHtml"]) {
    const html = await answerOf(value, method);
    if (typeof html === "string") return { "text/html": html };
  }
  const svg = await answerOf(value, "toSvg");
  if (typeof svg === "string") return { "image/svg+xml": svg };
  // An element of a document (JSDOM, linkedom), such as a plot.
  const { outerHTML, tagName } = value as { outerHTML?: unknown; tagName?: unknown };
  if (typeof outerHTML !== "string" || typeof tagName !== "string") return undefined;
  return tagName.toLowerCase() === "svg" ? { "image/svg+xml": withNamespace(outerHTML) } : { "text/html": outerHTML };
}

async function answerOf(value: Record<PropertyKey, unknown>, method: PropertyKey): Promise<unknown> {
  const found = value[method];
  return typeof found === "function" ? await (found as () => unknown).call(value) : undefined;
}

/** A document of its own needs it; an element in a page does not. */
function withNamespace(svg: string): string {
  return /\sxmlns=/.test(svg.slice(0, svg.indexOf(">"))) ? svg : svg.replace(/^<svg/, '<svg xmlns="http://www.w3.org/2000/svg"');
}

function imageForms(bytes: Uint8Array): MimeBundle | undefined {
  const type = imageType(bytes);
  if (type === undefined) return undefined;
  return { [type]: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"), "text/plain": `<${type}, ${bytes.byteLength.toLocaleString("en-US")} bytes>` };
}

function safeInspect(value: unknown): string {
  try {
    return inspect(value, { colors: typeof value === "object", maxArrayLength: 100, maxStringLength: 10_000, depth: 4 });
  } catch (error) {
    return `<it could not be shown: ${String(error)}>`;
  }
}

function lengthOf(forms: MimeBundle): number {
  return Object.values(forms).reduce<number>((sum, form) => sum + (typeof form === "string" ? form.length : JSON.stringify(form)?.length ?? 0), 0);
}
