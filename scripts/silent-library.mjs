/**
 * For bundles: `@jupyterlab/services` tells every connection and every change of a kernel on the console, which here is
 * somebody else's. Its modules get a console of their own that says nothing; what goes wrong is told by events and errors.
 */
import { readFile } from "node:fs/promises";

const SILENT = "const console=new Proxy({},{get:()=>()=>{}});";

export const silentLibrary = {
  name: "silent-library",
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/]@jupyterlab[\\/]services[\\/]lib[\\/].*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/^("use strict";)?/, `$1${SILENT}`),
      loader: "js",
    }));
  },
};
