/** Calls that come in bursts, carried out at a pace. */
export interface Paced {
  /** The first of a burst is carried out at once, the last one after the pause. */
  readonly request: () => void;
  dispose(): void;
}

export function paced(act: () => void, pauseMs: number): Paced {
  let timer: NodeJS.Timeout | undefined;
  let again = false;
  const run = () => {
    again = false;
    act();
    timer = setTimeout(() => {
      timer = undefined;
      if (again) run();
    }, pauseMs);
  };
  return {
    request: () => {
      if (timer === undefined) run();
      else again = true;
    },
    dispose: () => clearTimeout(timer),
  };
}
