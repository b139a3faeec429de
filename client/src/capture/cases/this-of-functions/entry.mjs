function strict() { return this === undefined ? "undefined" : this === null ? "null" : this === globalThis ? "global" : typeof this; }
check("strict", () => [strict(), strict.call(null), strict.call(5), [1].map(strict)], 0);
check("root", strict, 0);
function outer() { return () => this === undefined ? "u" : this === globalThis ? "g" : this === null ? "n" : typeof this; }
const a1 = outer(), a2 = outer.call(7), a3 = outer.call(null);
check("arrows", () => [a1(), a2(), a3()], 0);
check("arrow root", a1, 0);
const mod = () => this; check("module this", mod, 0);
const bound = strict.bind(null), bound2 = strict.bind(undefined);
check("bound", () => [bound(), bound2()], 0);
check("method root", { strict }.strict, 0);
