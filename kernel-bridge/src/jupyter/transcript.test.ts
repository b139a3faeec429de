/** Conversations with Debian's ipykernel, as they were heard: `cases/`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Transcript, type Heard, type TranscriptEvent } from "./transcript.ts";

function messagesOf(name: string): Heard[] {
  return JSON.parse(readFileSync(new URL(`cases/${name}.json`, import.meta.url), "utf8")) as Heard[];
}

function read(messages: readonly Heard[], isSilent = false): TranscriptEvent[] {
  const transcript = new Transcript({ isSilent });
  return messages.flatMap((message) => transcript.hear(message));
}

/** One word or two for each event. */
function lineOf(event: TranscriptEvent): string {
  switch (event.type) {
    case "started":
    case "value":
      return `${event.type} ${event.executionCount}`;
    case "stream":
      return `${event.name} ${JSON.stringify(event.text)}`;
    case "display":
    case "displayUpdate":
      return `${event.type} ${event.displayId ?? "-"} ${Object.keys(event.data).sort().join(" ")}`;
    case "error":
      return `error ${event.name}: ${event.message}`;
    case "clear":
      return `clear ${event.wait ? "later" : "now"}`;
    case "input":
      return `input ${event.prompt}`;
    case "ended":
      return `ended ${event.outcome}`;
  }
}

const GOLDEN: Readonly<Record<string, readonly string[]>> = {
  value: ["started 1", "value 1", "ended ok"],
  streams: ["started 2", 'stdout "out\\n"', 'stderr "err\\n"', "ended ok"],
  error: ["started 3", "error ZeroDivisionError: division by zero", "ended error"],
  rich: ["started 4", "display - text/html text/plain", "display one text/plain", "displayUpdate one text/plain", "clear later", "display - image/png text/plain", "ended ok"],
  input: ["started 5", "input Name? ", "value 5", "ended ok"],
  page: ["started 6", 'stdout "before\\n"', "display - text/plain", "ended ok"],
  silent: ["started 0", 'stdout "quiet\\n"', "ended ok"],
};

for (const [name, golden] of Object.entries(GOLDEN)) {
  const isSilent = name === "silent";

  test(`${name}: the events of the conversation`, () => {
    assert.deepEqual(read(messagesOf(name), isSilent).map(lineOf), golden);
  });

  test(`${name}: the same wherever the reply overtakes the outputs, or is overtaken`, () => {
    const messages = messagesOf(name);
    const reply = messages.filter(({ channel }) => channel === "shell");
    const others = messages.filter(({ channel }) => channel !== "shell");
    for (let at = 0; at <= others.length; at++) {
      assert.deepEqual(read([...others.slice(0, at), ...reply, ...others.slice(at)], isSilent).map(lineOf), golden, `at ${at}`);
    }
  });
}

test("what is said after the end is not heard", () => {
  const messages = messagesOf("value");
  assert.deepEqual(read([...messages, ...messages]).map(lineOf), GOLDEN["value"]);
});

test("an execution that was aborted has an end and nothing else", () => {
  const idle = { channel: "iopub", header: { msg_type: "status" }, content: { execution_state: "idle" } };
  for (const status of ["aborted", "abort"]) {
    const reply = { channel: "shell", header: { msg_type: "execute_reply" }, content: { status } };
    assert.deepEqual(read([reply, idle]).map(lineOf), ["ended aborted"]);
  }
});

test("fields that a kernel leaves out or fills with something else harm nobody", () => {
  for (const type of ["stream", "display_data", "update_display_data", "execute_result", "error", "clear_output", "status", "comm_open"]) {
    for (const content of [{}, null, { data: 5, metadata: "x", transient: null, text: [], traceback: "t", ename: 1 }]) {
      for (const event of read([{ channel: "iopub", header: { msg_type: type }, content }])) assert.notEqual(event.type, "ended");
    }
  }
});
