/**
 * The client of the engine, loaded on first use: nodes without containers do not pay for it. The library reads an
 * answer to its end and never hears of one that is cut: here that is an error.
 */
import Docker from "dockerode";
import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

type Done = (error: unknown, answer: unknown) => void;

interface Dialling {
  readonly isStream?: boolean;
  readonly openStdin?: boolean;
  readonly hijack?: boolean;
}

interface Modem {
  dial(options: Dialling, done: Done): void;
}

export default class EngineClient extends Docker {
  constructor(options?: Docker.DockerOptions) {
    super(options);
    const modem = this.modem as Modem;
    const dial = modem.dial.bind(modem);
    modem.dial = (request, done) => {
      if (request.isStream === true || request.openStdin === true || request.hijack === true) return dial(request, done);
      dial({ ...request, isStream: true }, (error, answer) => {
        if (error !== null) return done(withMessage(error), null);
        readAnswer(answer as IncomingMessage).then((value) => done(null, value), (cut: unknown) => done(cut, null));
      });
    };
  }
}

/** JSON where it is that, else its bytes. @throws Error with the code ECONNRESET when it is cut. */
async function readAnswer(response: IncomingMessage): Promise<unknown> {
  let bytes: Buffer;
  try {
    bytes = await buffer(response);
  } catch (cause) {
    throw Object.assign(new Error("the engine hung up in the middle of an answer", { cause }), { code: "ECONNRESET" });
  }
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return bytes;
  }
}

/** Of an answer that was read as a stream the library keeps what the engine said in its own message only. */
function withMessage(error: unknown): unknown {
  const { json, message } = error as { json?: unknown; message?: string };
  const said = /^\(HTTP code \d+\) .*? - (.*) $/s.exec(message ?? "")?.[1];
  return said === undefined || (json !== null && json !== undefined) ? error : Object.assign(error as object, { json: { message: said } });
}
