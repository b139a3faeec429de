/**
 * The conversation with the kernel host: requests of Jupyter's HTTP interface and frames of its WebSocket, as they would
 * go to a server, over Node's IPC as JSON. The two sides may be Nodes of different versions.
 */
import * as v from "valibot";

/** What one message of a kernel may hold; larger output ends the connection, not the host. */
export const MAX_FRAME_LENGTH = 256 * 1024 * 1024;
const MAX_PATH_LENGTH = 4_096;
const MAX_BODY_LENGTH = 1024 * 1024;

const id = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = (max: number) => v.pipe(v.string(), v.maxLength(max));

export const toHostSchema = v.variant("type", [
  v.object({ type: v.literal("request"), id, method: v.picklist(["GET", "POST", "DELETE"]), path: text(MAX_PATH_LENGTH), body: v.nullable(text(MAX_BODY_LENGTH)) }),
  v.object({ type: v.literal("open"), socket: id, kernelId: text(64), session: text(64) }),
  v.object({ type: v.literal("frame"), socket: id, text: text(MAX_FRAME_LENGTH) }),
  v.object({ type: v.literal("close"), socket: id }),
]);
export type ToHost = v.InferOutput<typeof toHostSchema>;

export const fromHostSchema = v.variant("type", [
  v.object({ type: v.literal("response"), id, status: v.pipe(v.number(), v.integer()), body: v.nullable(v.string()) }),
  v.object({ type: v.literal("opened"), socket: id }),
  v.object({ type: v.literal("frame"), socket: id, text: text(MAX_FRAME_LENGTH) }),
  v.object({ type: v.literal("closed"), socket: id }),
]);
export type FromHost = v.InferOutput<typeof fromHostSchema>;

/** What a kernel is started with, as the body of `POST /api/kernels`. */
export const startSchema = v.object({ name: text(MAX_PATH_LENGTH), path: v.optional(v.nullable(text(MAX_PATH_LENGTH))) });

/** One message as frames carry it. */
export const frameSchema = v.object({
  channel: v.picklist(["shell", "control", "stdin", "iopub"]),
  header: v.looseObject({ msg_id: v.string(), msg_type: v.string(), session: v.string() }),
  parent_header: v.record(v.string(), v.unknown()),
  metadata: v.record(v.string(), v.unknown()),
  content: v.record(v.string(), v.unknown()),
});
export type Frame = v.InferOutput<typeof frameSchema>;
