/**
 * Waits for the end of a container. The engine answers at once and tells the exit code when there is one; the library's
 * own `wait` never returns when the engine goes away between the two.
 */
import type Docker from "dockerode";
import type { IncomingMessage } from "node:http";
import * as v from "valibot";

const answerSchema = v.object({ StatusCode: v.number() });

interface Dialler {
  dial(options: object, done: (error: Error | null, response: IncomingMessage) => void): void;
}

/**
 * @returns the exit code.
 * @throws Error with the code ECONNRESET when the connection ends first; as the engine says, with its status.
 */
export async function waitForExit(docker: Docker, name: string): Promise<number> {
  const request = {
    path: `/containers/${name}/wait`, method: "POST", isStream: true,
    statusCodes: { 200: true, 400: "bad parameter", 404: "no such container", 500: "server error" },
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    (docker.modem as Dialler).dial(request, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
  let text = "";
  for await (const chunk of response) text += String(chunk);
  if (text.trim() === "") throw Object.assign(new Error("the engine hung up"), { code: "ECONNRESET" });
  return v.parse(answerSchema, JSON.parse(text)).StatusCode;
}
