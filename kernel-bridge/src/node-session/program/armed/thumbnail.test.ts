import assert from "node:assert/strict";
import { test } from "node:test";
import { cellViewSchema, MAX_PICTURE_BYTES } from "../../../cell-view.ts";
import { CellViewWriter } from "../../../cell-view-writer.ts";
import * as v from "valibot";
import { thumbnailOf } from "./thumbnail.ts";

const PNG = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.alloc(MAX_PICTURE_BYTES - 8)]);

test("bytes that are a picture have one, up to a size that the document takes", () => {
  assert.match(thumbnailOf(PNG) ?? "", /^data:image\/png;base64,iVBORw0KGgo/);
  assert.equal(thumbnailOf(Buffer.concat([PNG, Buffer.alloc(1)])), null);
  assert.equal(thumbnailOf(new Uint8Array([0xff, 0xd8, 0xff]))?.slice(0, 23), "data:image/jpeg;base64,");
  for (const value of [null, "text", { data: PNG }, new Uint8Array(3), new Uint8Array()]) assert.equal(thumbnailOf(value), null);
  const writer = new CellViewWriter({ name: "f", cluster: "local", how: "map", total: 1, startedAtMs: 0 });
  writer.apply({ type: "result", index: 0, text: "Buffer", picture: thumbnailOf(PNG) });
  assert.ok(v.is(cellViewSchema, writer.document(1)));
});
