/** Jupyter's messages on ZeroMQ: signed parts of JSON. */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import type { Frame } from "./messages.ts";

const DELIMITER = Buffer.from("<IDS|MSG>");

export interface Parsed {
  readonly type: string;
  /** Session of the client that asked; empty when nobody did. */
  readonly parentSession: string;
  /** The message as a frame of the WebSocket. Buffers of widgets are left out: nothing here reads them. */
  frame(channel: string): string;
}

export function sign(key: string, parts: readonly Buffer[]): string {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest("hex");
}

export function encode(key: string, { header, parent_header, metadata, content }: Omit<Frame, "channel">): (Buffer | string)[] {
  const parts = [header, parent_header, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
  return [DELIMITER, sign(key, parts), ...parts];
}

/** @returns undefined for what is not a message signed with this key. */
export function decode(key: string, frames: readonly Buffer[]): Parsed | undefined {
  const at = frames.findIndex((frame) => frame.equals(DELIMITER));
  const [signature, ...parts] = frames.slice(at + 1, at + 6);
  const [header, parent, metadata, content] = parts;
  if (at < 0 || signature === undefined || header === undefined || parent === undefined || metadata === undefined || content === undefined) return undefined;
  const expected = Buffer.from(sign(key, parts));
  if (expected.length !== signature.length || !timingSafeEqual(expected, signature)) return undefined;
  return {
    type: field(header, "msg_type"),
    parentSession: field(parent, "session"),
    frame: (channel) =>
      `{"channel":${JSON.stringify(channel)},"header":${header},"parent_header":${parent},"metadata":${metadata},"content":${content},"buffers":[]}`,
  };
}

/** A request of the host's own. */
export function requestOf(type: string, session: string, content: Record<string, unknown> = {}): Omit<Frame, "channel"> {
  return { header: headerOf(type, session), parent_header: {}, metadata: {}, content };
}

/** What a server says about a kernel that cannot speak for itself. */
export function statusFrame(state: string, session: string): string {
  return JSON.stringify({ channel: "iopub", header: headerOf("status", session), parent_header: {}, metadata: {}, content: { execution_state: state }, buffers: [] });
}

function headerOf(type: string, session: string): Frame["header"] {
  return { msg_id: randomUUID(), msg_type: type, session, username: "", date: new Date().toISOString(), version: "5.3" };
}

function field(json: Buffer, name: string): string {
  const value: unknown = (JSON.parse(json.toString()) as Record<string, unknown>)[name];
  return typeof value === "string" ? value : "";
}
