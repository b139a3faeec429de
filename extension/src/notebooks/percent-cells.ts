/** The cells of a Python file: what stands between lines `# %%`. Pure. */

export interface PercentCell {
  /** Of its marker; counts from 0. */
  readonly line: number;
  readonly text: string;
}

const MARKER = /^#\s*%%(?!%)(.*)$/;

/** Cells of code with something in them; those of prose (`# %% [markdown]`) are left out. */
export function percentCells(text: string): PercentCell[] {
  const lines = text.split(/\r?\n/);
  const markers = lines.flatMap((line, at) => (MARKER.test(line) ? [at] : []));
  return markers.flatMap((line, number): PercentCell[] => {
    const isProse = /\[(markdown|md|raw)\]/i.test(MARKER.exec(lines[line] ?? "")?.[1] ?? "");
    const body = lines.slice(line + 1, markers[number + 1] ?? lines.length).join("\n").trim();
    return isProse || body === "" ? [] : [{ line, text: body }];
  });
}
