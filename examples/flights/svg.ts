/** SVG as strings: enough for one picture, without a DOM. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);

/** Two decimals are a fiftieth of a pixel. */
const shorten = (value: string | number): string => (typeof value === "number" ? String(Math.round(value * 100) / 100) : escape(value));

/** One element; `children` are elements already written, so text goes through `escape` or `text`. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => (value === undefined ? "" : ` ${key}="${shorten(value)}"`));
  return children.length === 0 ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${children.join("")}</${name}>`;
}

export const group = (attributes: Attributes, ...children: readonly string[]): string => element("g", attributes, ...children);

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  element("text", { x, y, ...attributes }, escape(content));

export const line = (x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): string =>
  element("line", { x1, y1, x2, y2, ...attributes });

export const translate = (x: number, y: number): string => `translate(${x} ${y})`;
