/** What a person, or with `--json` a program, sees on stderr while a job runs. stdout is for its results. */
import { createOutput, type JobOutput } from "../output.ts";
import type { LogLine, Progress } from "../types.ts";
import type { ViewFlags } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** @param name what the progress line calls the job. */
export function createJobView(terminal: Terminal, name: string, flags: ViewFlags): JobOutput {
  const logs = flags.logs && flags.quiet !== true;
  const progress = flags.progress && flags.quiet !== true;
  const output = flags.json === true ? jsonOutput(terminal) : createOutput({ name, onLog: undefined, progress: true, stdout: terminal.stderr });
  return {
    line: (line) => (logs ? output.line(line) : undefined),
    progress: (state) => (progress ? output.progress(state) : undefined),
    clear: () => output.clear(),
    end: () => output.end(),
  };
}

/** A line of JSON for each thing: `{"log":...}` or `{"progress":...}`. */
function jsonOutput(terminal: Terminal): JobOutput {
  return {
    line: (line: LogLine) => terminal.say(JSON.stringify({ log: line })),
    progress: (state: Progress) => terminal.say(JSON.stringify({ progress: state })),
    clear: () => undefined,
    end: () => undefined,
  };
}
