/**
 * How a bundle's source map names code that stands in no file (a line of a REPL, a cell of a notebook), so that Node does
 * not take the name for a file beside the bundle. Workers take it out of stacks again.
 */
export const EVALUATED_SCHEME = "burla-evaluated:";
