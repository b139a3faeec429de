// The same as ES modules, compiled by a loader.
import "reflect-metadata";
import { register } from "node:module";
process.setSourceMapsEnabled(true);
const hooks = `
import ts from ${JSON.stringify(import.meta.resolve("typescript"))};
import { readFileSync } from "node:fs"; import { fileURLToPath } from "node:url";
export const resolve = (name, context, next) => next(name.startsWith(".") && context.parentURL?.endsWith(".ts") ? name.replace(/\\.js$/, ".ts") : name, context);
export const load = (url, context, next) => {
  if (!url.includes("/decorator-metadata-modules/") || !url.endsWith(".ts")) return next(url, context);
  const fileName = fileURLToPath(url);
  const { outputText } = ts.transpileModule(readFileSync(fileName, "utf8"), { fileName, compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, emitDecoratorMetadata: true, inlineSourceMap: true } });
  return { format: "module", source: outputText, shortCircuit: true };
};`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { User, Address, Clock, make, describeColumns } = await import("./user.ts");
check("columns of an imported class", describeColumns, 0);
check("injection by its types", () => { const user = make(User); return [user.clock instanceof Clock, user.clock.now().getTime()]; }, 0);
check("an exported function alone", make, 0);
check("types of its members", () => [Reflect.getMetadata("design:type", User.prototype, "address") === Address, Reflect.getMetadata("design:paramtypes", User.prototype, "greet")], 0);
check("a line of the user's own file", () => { try { new User().fail(); } catch (e) { return e.message.replace(/\?.*|\)$/, "").replace(/:\d+$/, ""); } }, 0);
process.setSourceMapsEnabled(false);
check("a module that was not loaded, as ES module", () => import("./lazy/never-loaded.ts"));
