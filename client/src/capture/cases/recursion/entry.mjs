function fact(n) { return n < 2 ? 1 : n * fact(n - 1); }
check("recursion", fact, 1, 10);
const isEven = (n) => n === 0 || isOdd(n - 1);
const isOdd = (n) => n !== 0 && isEven(n - 1);
check("mutual recursion", isEven, 7, 8);
check("a named function expression", function self(n) { return n === 0 ? 0 : 1 + self(n - 1); }, 3);
let wrapped = function (n) { return n === 0 ? ["end"] : [n, ...wrapped(n - 1)]; };
const inner = wrapped;
wrapped = (n) => ["wrapped", ...inner(n)];
check("a wrapped function", wrapped, 2);
function declared(n) { return n === 0 ? "plain" : declared(n - 1); }
const old = declared;
declared = (n) => `new ${old(n)}`;
check("a declaration that was replaced", old, 2);
const memo = Object.assign((n) => memo.cache.get(n) ?? (memo.cache.set(n, n * n), memo.cache.get(n)), { cache: new Map([[3, "nine"]]) });
check("properties of a function", (n) => [memo(n), memo.cache.size], 3, 4);
