/** The code that makes a Python kernel ready for the cluster; loaded when it is needed first. */
import type { ArmedRun } from "@burla/kernel-bridge";

export interface PythonCode {
  /** Puts the client into the kernel; does nothing where it is already. */
  pythonBootstrap(): string;
  armCode(run: ArmedRun): string;
}

export async function loadPythonCode(): Promise<PythonCode> {
  throw new Error("not yet");
}
