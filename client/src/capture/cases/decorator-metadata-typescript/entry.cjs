// As ts-node and swc's register do it: compiled when it is required, decorators with their types.
require("reflect-metadata");
const ts = require("typescript"); const { readFileSync } = require("node:fs"); const Module = require("node:module"); const { join } = require("node:path");
process.setSourceMapsEnabled(true);
const compile = (module, file) => module._compile(ts.transpileModule(readFileSync(file, "utf8"), { fileName: file, compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, emitDecoratorMetadata: true, inlineSourceMap: true } }).outputText, file);
Module._extensions[".ts"] = compile;
const resolve = Module._resolveFilename; Module._resolveFilename = (name, parent, ...rest) => resolve(parent?.filename?.endsWith(".ts") && name.startsWith(".") ? name.replace(/\.js$/, ".ts") : name, parent, ...rest);
const { User, Address, Clock, make, describeColumns } = require("./user.ts");
check("what decorators of an imported class have read", describeColumns, 0);
check("injection by the types of an imported class", () => { const user = make(User); return [user.clock instanceof Clock, user.clock.now().getTime(), user.tags]; }, 0);
check("types of members and methods", () => [Reflect.getMetadata("design:type", User.prototype, "address") === Address, Reflect.getMetadata("design:paramtypes", User.prototype, "greet"), Reflect.getMetadata("design:returntype", User.prototype, "greet"), Reflect.getMetadata("injectable", User)], 0);
check("a line of the user's own", () => { try { new User().fail(); } catch (e) { return e.message.replace(/\?.*|\)$/, "").replace(/:\d+$/, ""); } }, 0);
process.setSourceMapsEnabled(false);
class Admin extends User {} Reflect.defineMetadata("role", "admin", Admin); check("a class of the program that extends it", () => [Reflect.getMetadata("role", Admin), Reflect.getMetadata("injectable", Admin), make(Admin).clock instanceof Clock], 0);
check("a module that was not loaded", () => require("./lazy/never-loaded.ts"));
check("a module that was not loaded and has no decorators", () => require("./lazy/plain.ts").plain, 0);
