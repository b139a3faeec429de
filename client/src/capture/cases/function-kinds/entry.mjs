check("async", async (x) => { await null; return x; }, 1);
async function* gen(x) { yield x; yield await (x + 1); }
function* sync(x) { yield x; yield* [x, x]; }
check("generators", async (x) => { const out = []; for await (const v of gen(x)) out.push(v); return [out, [...sync(x)]]; }, 1);
const object = { n: 3, method(x) { return [x, typeof this]; }, async asyncMethod(x) { return x; }, get getter() { return 5; }, async *stream(x) { yield x; } };
check("a method by itself", object.method, 1);
check("an async method by itself", object.asyncMethod, 1);
check("an async generator method", async (x) => { for await (const v of object.stream(x)) return v; }, 1);
const { get } = Object.getOwnPropertyDescriptor(object, "getter");
check("a getter by itself", get, 1);
check("a bound method", object.method.bind({ a: 1 }), 1);
function sum(a, b, c) { return [this?.k, a, b, c]; }
check("a bound function with arguments", sum.bind({ k: 9 }, 1, 2), 3);
check("a twice bound function", sum.bind({ k: 1 }, 1).bind({ k: 2 }, 5), 3);
check("native functions", Math.abs, -4);
const trim = String.prototype.trim; const { parse } = JSON; const has = Object.prototype.hasOwnProperty; const max = Math.max.bind(null, 3); const log = console.log;
check("native functions in variables", (x) => [trim.call(x), parse("[1]"), has.call({ a: 1 }, "a"), max(2), log === console.log, parseInt("3")], " a ");
check("Number", Number, "12");
check("globals", (x) => [typeof process.pid, typeof globalThis.setTimeout, typeof Buffer, typeof fetch, typeof undefinedThing, structuredClone({ x })], 1);
globalThis.userGlobal = { v: 5 };
check("a global of the user", (x) => userGlobal.v + x, 1);
const globals = { process, console, Math, JSON, Map, global: globalThis, Promise, env: process.env };
check("globals in variables", () => [globals.process === process, globals.console === console, globals.Math === Math, globals.Map === Map, globals.global === globalThis, globals.env === process.env], 0);
check("a function made from text", new Function("x", "return x * 2"), 4);
check("a function of an indirect eval", (0, eval)("(x) => x + 1"), 4);
check("labels, regular expressions, templates", (x) => { outer: for (;;) { for (;;) break outer; } return `${x}${/[/]\}/.test("/}")}`; }, 4);
check("rest, spread, optional chaining", (x, ...rest) => [x?.a?.b, ...rest.map((r) => r.index)], { a: { b: 1 } }, null);
check("error thrown", (x) => { throw new RangeError("no " + x); }, 1);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
check("timers", async (x) => { await sleep(1); return x; }, 1);
const out = process.stdout;
check("the process's own streams", () => out === process.stdout, 1);
