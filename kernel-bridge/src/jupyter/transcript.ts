/**
 * One execution as the messages tell it: a pure reader from Jupyter's messages to events. Messages of the kernel's two
 * channels overtake each other: an execution is over when its reply and its `idle` have both come.
 */
import type { MimeBundle, ExecutionOutcome, KernelEvent } from "../kernel.ts";

/** What is read of a message; the content is whatever the kernel made of it. */
export interface Heard {
  readonly channel: string;
  readonly header: { readonly msg_type: string };
  readonly content: unknown;
}

/** An event without what only the connection can add: how an input request is answered. */
export type TranscriptEvent = Exclude<KernelEvent, { type: "input" }> | { readonly type: "input"; readonly prompt: string; readonly isPassword: boolean };

export class Transcript {
  #hasStarted = false;
  /** Questions that have overtaken the start. */
  #early: TranscriptEvent[] = [];
  #outcome: ExecutionOutcome | undefined;
  #isIdle = false;
  /** They come with the reply, which may overtake the outputs. */
  #pages: readonly TranscriptEvent[] = [];
  readonly #isSilent: boolean;

  constructor({ isSilent }: { isSilent: boolean }) {
    this.#isSilent = isSilent;
  }

  /** The events that this message of the execution makes, in order; after `ended` there are none. */
  hear(message: Heard): TranscriptEvent[] {
    if (this.#isIdle && this.#outcome !== undefined) return [];
    const content = recordOf(message.content);
    switch (message.channel) {
      case "iopub":
        return this.#hearOutput(message.header.msg_type, content);
      case "stdin":
        return message.header.msg_type === "input_request" ? this.#hearQuestion(content) : [];
      case "shell":
        return message.header.msg_type === "execute_reply" ? this.#hearReply(content) : [];
      default:
        return [];
    }
  }

  #hearQuestion(content: Fields): TranscriptEvent[] {
    const question: TranscriptEvent = { type: "input", prompt: textOf(content["prompt"]), isPassword: content["password"] === true };
    if (this.#hasStarted) return [question];
    this.#early.push(question);
    return [];
  }

  #hearReply(content: Fields): TranscriptEvent[] {
    this.#outcome = outcomeOf(content["status"]);
    if (!this.#isSilent) this.#pages = pagesOf(content["payload"]);
    return this.#endIfOver();
  }

  #hearOutput(type: string, content: Fields): TranscriptEvent[] {
    switch (type) {
      case "status":
        return this.#hearStatus(content["execution_state"]);
      case "execute_input":
        return this.#start(countOf(content["execution_count"]));
      case "stream":
        return [{ type: "stream", name: content["name"] === "stderr" ? "stderr" : "stdout", text: textOf(content["text"]) }];
      case "display_data":
        return [{ type: "display", ...bundlesOf(content), displayId: displayIdOf(content) }];
      case "update_display_data": {
        const displayId = displayIdOf(content);
        return displayId === null ? [] : [{ type: "displayUpdate", ...bundlesOf(content), displayId }];
      }
      case "execute_result":
        return [{ type: "value", ...bundlesOf(content), executionCount: countOf(content["execution_count"]) }];
      case "error":
        return [{ type: "error", name: textOf(content["ename"]), message: textOf(content["evalue"]), traceback: textsOf(content["traceback"]) }];
      case "clear_output":
        return [{ type: "clear", wait: content["wait"] === true }];
      default:
        return [];
    }
  }

  #hearStatus(state: unknown): TranscriptEvent[] {
    // A silent execution has no `execute_input`.
    if (state === "busy") return this.#isSilent ? this.#start(0) : [];
    if (state !== "idle") return [];
    this.#isIdle = true;
    return this.#endIfOver();
  }

  #start(executionCount: number): TranscriptEvent[] {
    if (this.#hasStarted) return [];
    this.#hasStarted = true;
    return [{ type: "started", executionCount }, ...this.#early.splice(0)];
  }

  #endIfOver(): TranscriptEvent[] {
    return this.#isIdle && this.#outcome !== undefined ? [...this.#pages, { type: "ended", outcome: this.#outcome }] : [];
  }
}

type Fields = Readonly<Record<string, unknown>>;

function recordOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf) : [];
}

function countOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function bundlesOf(content: Fields): { data: MimeBundle; metadata: MimeBundle } {
  return { data: recordOf(content["data"]), metadata: recordOf(content["metadata"]) };
}

/** What the kernel would show in a pager, such as the help of `name?`: an output like any other. */
function pagesOf(payload: unknown): TranscriptEvent[] {
  if (!Array.isArray(payload)) return [];
  return payload.map(recordOf).flatMap(({ source, data }) => (source === "page" ? [{ type: "display", data: recordOf(data), metadata: {}, displayId: null } as const] : []));
}

function displayIdOf(content: Fields): string | null {
  const id = recordOf(content["transient"])["display_id"];
  return typeof id === "string" ? id : null;
}

function outcomeOf(status: unknown): ExecutionOutcome {
  if (status === "ok") return "ok";
  // Kernels say both for what they did not run.
  return status === "aborted" || status === "abort" ? "aborted" : "error";
}
