import { BurlaError } from "@burla/protocol";
import type { ArmedRun, LiveKernel } from "../kernel.ts";

export async function armPython(_kernel: LiveKernel, _run: ArmedRun): Promise<void> {
  throw new BurlaError("BURLA_KERNEL", "not yet");
}
