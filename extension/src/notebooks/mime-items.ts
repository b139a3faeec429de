/** Values as a kernel sends them, as the bytes that a notebook keeps. */
import type { MimeBundle } from "@burla/kernel-bridge";

export interface MimeItem {
  readonly mime: string;
  readonly data: Uint8Array;
}

/** In the order of the bundle. JSON stays JSON, images come as base64, all else is text, perhaps in lines. */
export function mimeItems(bundle: MimeBundle): MimeItem[] {
  return Object.entries(bundle).map(([mime, value]) => ({ mime, data: bytesOf(mime, value) }));
}

function bytesOf(mime: string, value: unknown): Uint8Array {
  const text = textOf(value);
  if (text === null) return Buffer.from(JSON.stringify(value));
  return isBinary(mime) ? Buffer.from(text, "base64") : Buffer.from(isJson(mime) && typeof value === "string" ? JSON.stringify(value) : text);
}

function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  return Array.isArray(value) && value.every((line) => typeof line === "string") ? value.join("") : null;
}

function isBinary(mime: string): boolean {
  return /^(image\/(?!svg\+xml)|audio\/|video\/|application\/(pdf|octet-stream)$)/.test(mime);
}

function isJson(mime: string): boolean {
  return /^application\/(.*\+)?json$/.test(mime);
}
