/** Starts the kernel that the window has chosen. */

import type { LiveKernel } from "@burla/kernel-bridge";
import { fileURLToPath } from "node:url";
import type { KernelChoice } from "./messages.ts";

/** Programs and packages lie beside this one. */
const beside = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export async function startKernel(choice: KernelChoice): Promise<LiveKernel> {
  switch (choice.type) {
    case "node":
      throw new Error(beside("session.mjs"));
    case "local":
    case "server":
      throw new Error("not yet");
  }
}
