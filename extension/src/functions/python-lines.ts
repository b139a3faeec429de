/** Statements of Python by their lines. Reads any text, however broken. */

const CONTINUES = /^(elif|else|except|finally|case)\b/;

/** The lines at which statements of the top level begin. */
export function pythonStarts(lines: readonly string[]): number[] {
  const starts: number[] = [];
  let depth = 0;
  let quotes: string | null = null;
  let isDecorated = false;
  let isContinued = false;
  for (const [number, line] of lines.entries()) {
    const isTop = depth === 0 && quotes === null && !isContinued && /^[^\s#)\]}]/.test(line) && !CONTINUES.test(line);
    if (isTop && !isDecorated) starts.push(number);
    if (isTop) isDecorated = line.startsWith("@");
    ({ depth, quotes } = scanLine(line, depth, quotes));
    isContinued = line.endsWith("\\");
  }
  return starts;
}

/** Follows brackets and texts through a line: what is in them begins no statement. */
function scanLine(line: string, depth: number, open: string | null): { depth: number; quotes: string | null } {
  let quotes = open;
  for (const [token] of line.matchAll(/\\.|"""|'''|["'#()[\]{}]/g)) {
    if (quotes !== null) quotes = token === quotes ? null : quotes;
    else if (token === "#") break;
    else if (/^["']/.test(token)) quotes = token;
    else if ("([{".includes(token)) depth++;
    else if (")]}".includes(token)) depth = Math.max(0, depth - 1);
  }
  // A text in single quotes ends with its line.
  return { depth, quotes: quotes?.length === 3 ? quotes : null };
}
