/** A text of several lines on a terminal that is drawn again in its place. */

export interface ScreenOutput {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** Of a terminal that does not say. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };
const CLEAR_DOWN = "\u001b[0J";
const up = (lines: number) => (lines === 0 ? "" : `\u001b[${lines}A`);

export class Screen {
  readonly #output: ScreenOutput;
  #height = 0;

  constructor(output: ScreenOutput) {
    this.#output = output;
  }

  /** Takes the place of what was drawn before. What does not fit is cut: lines that wrap could not be drawn over. */
  draw(text: string): void {
    const { columns = DEFAULT_SIZE.columns, rows = DEFAULT_SIZE.rows } = this.#output;
    const all = text.split("\n");
    const room = Math.max(1, rows - 2);
    const lines = all.slice(0, room).map((line) => (line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`));
    if (all.length > room) lines.push(`… ${all.length - room} more lines`);
    // One write, so that nothing flickers.
    this.#output.write(`${up(this.#height)}${CLEAR_DOWN}${lines.join("\n")}\n`);
    this.#height = lines.length;
  }
}
