/** Small pictures of results for a cell's card: of bytes that are one. */
import { MAX_PICTURE_BYTES } from "../../../cell-view.ts";

const KINDS = [
  { kind: "png", start: [0x89, 0x50, 0x4e, 0x47] },
  { kind: "jpeg", start: [0xff, 0xd8, 0xff] },
  { kind: "gif", start: [0x47, 0x49, 0x46, 0x38] },
] as const;

/** A `data:` address; null for what is no picture, or too large a one. */
export function thumbnailOf(value: unknown): string | null {
  if (!(value instanceof Uint8Array) || value.byteLength > MAX_PICTURE_BYTES) return null;
  const found = KINDS.find(({ start }) => start.every((byte, at) => value[at] === byte));
  return found === undefined ? null : `data:image/${found.kind};base64,${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")}`;
}
