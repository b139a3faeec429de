// What Vite makes of a test file for its module runner, run as the runner does.
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
const file = fileURLToPath(import.meta.url);
const root = fileURLToPath(new URL(".", import.meta.url)).slice(0, -1);
const text = `'use strict';async (__vite_ssr_import_meta__,__vite_ssr_import__,__vite_ssr_dynamic_import__)=>{{
const __vite_ssr_import_0__ = await __vite_ssr_import__("node:path", {"importedNames":["default","join"]});
const __vite_ssr_import_1__ = await __vite_ssr_import__("/helper.mjs", {"importedNames":["double"]});
const __vite_ssr_import_2__ = await __vite_ssr_import__("/@fs${root}/helper.mjs");
const factor = 3;
return {
  imports: (x) => [(0,__vite_ssr_import_0__.join)("a", "b"), __vite_ssr_import_0__.default.basename("/c/d"), (0,__vite_ssr_import_1__.double)(x) * factor, __vite_ssr_import_2__.default],
  late: async (x) => [(await __vite_ssr_dynamic_import__("/helper.mjs")).double(x), typeof (await __vite_ssr_dynamic_import__("node:" + "os")).cpus],
  place: () => __vite_ssr_import_meta__.url,
};
}}`;
const load = (specifier) => import(specifier.replace(/^\/@fs/, "").replace(/^\/helper/, `${root}/helper`));
const closed = (specifier) => load(specifier).then((module) => new Proxy(module, { get: (target, key) => target[key] }));
const made = await runInThisContext(text, { filename: file })({ url: import.meta.url }, closed, load);
check("imports that Vite has turned into calls", made.imports, 2);
check("its import()", made.late, 2);
check("its import.meta", made.place, 0);
