/** The inputs that were last chosen for each function of this workspace. */
import * as v from "valibot";
import type { Memento } from "vscode";
import { inputSourceSchema, type InputSource } from "../runner/messages.ts";

const KEY = "burla.inputs";
const MAX_PER_FUNCTION = 4;
const MAX_FUNCTIONS = 200;

const memorySchema = v.array(v.object({ key: v.string(), sources: v.array(inputSourceSchema) }));
type Memory = v.InferOutput<typeof memorySchema>;

/** Stands for a function across windows. */
export function functionKey(file: string, label: string): string {
  return `${file}#${label}`;
}

export class InputMemory {
  readonly #state: Memento;

  constructor(state: Memento) {
    this.#state = state;
  }

  /** The newest first. */
  of(key: string): readonly InputSource[] {
    return this.#read().find((entry) => entry.key === key)?.sources ?? [];
  }

  async remember(key: string, source: InputSource): Promise<void> {
    await this.#state.update(KEY, withChoice(this.#read(), key, source));
  }

  /** What another version wrote counts as nothing. */
  #read(): Memory {
    const parsed = v.safeParse(memorySchema, this.#state.get(KEY) ?? []);
    return parsed.success ? parsed.output : [];
  }
}

/** The choice comes first, for its function and among functions; the oldest are forgotten. */
export function withChoice(memory: Memory, key: string, source: InputSource): Memory {
  const text = JSON.stringify(source);
  const before = memory.find((entry) => entry.key === key)?.sources ?? [];
  const sources = [source, ...before.filter((other) => JSON.stringify(other) !== text)].slice(0, MAX_PER_FUNCTION);
  return [{ key, sources }, ...memory.filter((entry) => entry.key !== key)].slice(0, MAX_FUNCTIONS);
}
