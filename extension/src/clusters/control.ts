/** The door to `burla/control`: loaded when it is needed first, so that activation does not wait for it. */
import type * as control from "burla/control";

export type Control = typeof control;
export type LoadControl = () => Promise<Control>;

export const loadControl: LoadControl = () => import("burla/control");
