const curry = (f) => function curried(...given) { return given.length >= f.length ? f(...given) : (...more) => curried(...given, ...more); };
const addFive = curry((a, b) => a + b)(5);
check("an arrow inside a named function expression calls it by that name", (x) => addFive(x), 2);
const inner = 1;
const shadowing = (function inner(n) { return (x) => (n === 0 ? x : inner(n - 1)(x + inner.length)); })(3);
check("the name inside hides a variable of the same name outside", (x) => [shadowing(x), inner], 1);
const steps = (function step(n) { return { n, next: () => step(n + 1) }; })(0);
check("such a function makes more of itself where it runs", () => steps.next().next().n, 0);
