/** The way to the extension. */
import type { HostToView, ViewToHost } from "../src/runs/view-messages.ts";

interface EditorApi {
  postMessage(message: ViewToHost): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): EditorApi;

const api = acquireVsCodeApi();

export function tell(message: ViewToHost): void {
  api.postMessage(message);
}

/** Messages come from the extension alone: the page loads nothing else. */
export function onMessage(listener: (message: HostToView) => void): void {
  window.addEventListener("message", ({ data }: MessageEvent<HostToView>) => listener(data));
}

/** What survives while the view is hidden. */
export function remember(state: object): void {
  api.setState(state);
}

export function remembered<State extends object>(fallback: State): State {
  const state = api.getState();
  return typeof state === "object" && state !== null ? { ...fallback, ...state } : fallback;
}
