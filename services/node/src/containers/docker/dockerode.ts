/** Loaded on first use: nodes without containers do not pay for the client of the engine. */
export { default } from "dockerode";
