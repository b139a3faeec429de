/** Jobs that are known to be in the middle of their work when something is done to them. */
import { numbers } from "../../support/inputs.ts";

export interface HeldInputs {
  readonly inputs: AsyncIterable<number>;
  /** Lets the last of them come. */
  release(): void;
}

/** 0, 1, 2, ...; the last of them come when they are let. */
export function heldInputs(count: number, held = 1): HeldInputs {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  async function* inputs(): AsyncGenerator<number> {
    yield* numbers(count - held);
    await released;
    yield* numbers(held).map((at) => count - held + at);
  }
  return { inputs: inputs(), release };
}

/** Printed, with the name of its host, by a call that is stuck. */
const STUCK = /^stuck in (\w+)$/;

/** Hears where a call is stuck, when it prints so: the short id of a container. */
export function listenForStuck(): { readonly onLog: (line: { text: string }) => void; readonly container: Promise<string> } {
  let heard: (container: string) => void = () => undefined;
  const container = new Promise<string>((resolve) => (heard = resolve));
  return {
    container,
    onLog: ({ text }) => {
      const name = STUCK.exec(text)?.[1];
      if (name !== undefined) heard(name);
    },
  };
}
