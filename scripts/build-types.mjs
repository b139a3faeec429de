/** `node scripts/build-types.mjs ENTRY TO`: one declaration file, without imports of packages that a user does not have. */
import { copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";

const [entry, to] = process.argv.slice(2);
const tsconfig = fileURLToPath(new URL("../tsconfig.json", import.meta.url));
const bundle = await rollup({
  input: entry,
  plugins: [dts({ tsconfig, respectExternal: true, includeExternal: ["@burla/protocol"] })],
  external: [/^node:/, "esbuild"],
});
await bundle.write({ file: `${to}.d.ts`, format: "es" });
await bundle.close();
await copyFile(`${to}.d.ts`, `${to}.d.cts`);
