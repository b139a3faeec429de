/** The worker file that Piscina asks for: one export per function. */
export { echo, noop, print, spin } from "./functions.ts";
