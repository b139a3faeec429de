/** Errors as a user reads them: the line of the cell, then the stack, causes and properties. */
import { inspect } from "node:util";
import type { CellMaps } from "./cells/cell-maps.ts";
import { CellSyntaxError } from "./cells/parse.ts";
import { Interrupted } from "./current.ts";
import type { Report } from "../messages.ts";

type ErrorReport = Extract<Report, { type: "error" }>;

const MAX_LENGTH = 200_000;

export function errorReport(thrown: unknown, maps: CellMaps): ErrorReport {
  if (!(thrown instanceof Error)) {
    const text = clip(safely(() => inspect(thrown)) ?? "something that cannot be shown");
    return { type: "error", name: "Thrown", message: text, traceback: [`Thrown: ${text}`] };
  }
  const name = String(safely(() => thrown.name) ?? "Error").slice(0, 1000);
  const message = clip(String(safely(() => thrown.message) ?? ""));
  return { type: "error", name, message, traceback: clip(textOf(thrown, maps)).split("\n") };
}

/** The whole text of an error. */
export function textOf(error: Error, maps: CellMaps): string {
  const stack = String(safely(() => error.stack) ?? error);
  if (error instanceof CellSyntaxError || error instanceof Interrupted) return stack;
  const place = maps.placeOf(stack);
  const frame = place === undefined ? "" : `${place.label}:${place.line}:${place.column}\n${maps.frameAt(place)}\n`;
  return frame + (safely(() => inspect(error)) ?? stack);
}

/** An error object may do anything when it is looked at. */
function safely<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function clip(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
