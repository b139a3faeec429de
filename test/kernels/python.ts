/** Python for the contract of live kernels. */
import type { Snippets } from "../contract/live-kernel.ts";

export const pythonSnippets: Snippets = {
  print: "import sys\nprint('out')\nsys.stdout.flush()\nprint('err', file=sys.stderr)",
  value: "6 * 7",
  fail: "raise ValueError('boom')",
  keep: "kept = 7",
  readKept: "kept",
  busy: "print('on', flush=True)\nwhile True: pass",
  html: "from IPython.display import display, HTML\ndisplay(HTML('<b>rich</b>'))",
};
