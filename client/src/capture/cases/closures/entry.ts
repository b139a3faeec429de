const factor = 3;
let offset = 1;
check("a number", (x: number) => x * factor + offset, 1, 2);
offset = 100;
const outer = (a: number) => (b: number) => (c: number) => a + b + c;
check("closures in closures", outer(1)(2), 3);
const adders = [1, 2, 3].map((k) => (x: number) => x + k);
check("an array of closures of one text", (x: number) => adders.map((add) => add(x)), 10);
const counter = () => { let n = 0; return { increase: () => ++n, read: () => n }; };
const a = counter();
const b = counter();
check("counters of their own", () => { a.increase(); a.increase(); b.increase(); return [a.read(), b.read()]; }, 0);
let total = 0;
const add = (x: number) => { total += x; };
function read() { return total; }
check("one variable of several functions", (x: number) => { add(x); add(x); const o = { total }; return [read(), o, total]; }, 4);
check("shadowed names", (factor: number) => { const offset = 2; return factor + offset; }, 5);
check("default and destructured parameters", ({ a, b = factor }: { a: number; b?: number }, [c] = [offset]) => [a, b, c], { a: 1 });
check("nested names keep", () => { const inner = () => 1; function named() {} return [inner.name, named.name]; }, 0);
for (const i of [1, 2]) check(`variable of a loop ${i}`, (x: number) => x + i, 1);
try { throw new RangeError("caught"); } catch (error) { check("variable of a catch", () => (error as Error).message, 0); }
function withArgs(..._: number[]) { return (x: number) => x; }
check("function made by a call", withArgs(1), 2);
let swap = 1;
const tagged = (strings: TemplateStringsArray) => { swap++; return strings[0]; };
let call = function (this: unknown) { swap++; return this === undefined; };
const replace = () => { call = function () { return true; }; };
check("shared variables in every position", () => { replace(); const { swap: s } = { swap }; ({ swap } = { swap: 9 }); [swap] = [swap + 1]; return [call(), tagged`x`, s, swap, typeof swap]; }, 0);
