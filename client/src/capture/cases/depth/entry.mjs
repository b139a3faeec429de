const list = (n) => { let l = null; for (let i = 0; i < n; i++) l = { v: i, next: l }; return l; };
const nest = (n, f) => { let l = 1; for (let i = 0; i < n; i++) l = f(l); return l; };
const depth = (l) => { let n = 0; for (let at = l; at; at = at.next) n++; return n; };
for (const n of [900, 2000]) {
  const l = list(n); check("list " + n, () => depth(l), 0);
  const o = { a: { b: [1, { deep: list(n) }] } }; check("inside " + n, () => depth(o.a.b[1].deep), 0);
  const arr = nest(n, (x) => [x]); check("arrays " + n, () => arr.length, 0);
  const maps = nest(n, (x) => new Map([["k", x]])); check("maps " + n, () => maps.size, 0);
  const mk = nest(n, (x) => new Map([[x, 1]])); check("map keys " + n, () => mk.size, 0);
  const sets = nest(n, (x) => new Set([x])); check("sets " + n, () => sets.size, 0);
  const errs = nest(n, (x) => new Error("e", { cause: x })); check("errors " + n, () => { let k = 0; for (let at = errs; at; at = at.cause) k++; return k; }, 0);
  class Node1 { constructor(next) { this.next = next; } } const inst = nest(n, (x) => new Node1(x)); check("instances " + n, () => depth(inst), 0);
  const mixed = nest(n, (x) => ({ m: new Map([["k", [x]]]) })); check("mixed " + n, () => mixed.m.size, 0);
  const withFn = nest(n, (x) => ({ next: x, f: null })); withFn.f = () => 7; check("a function above " + n, () => [depth(withFn), withFn.f()], 0);
  const protos = nest(n, (x) => Object.create(x === 1 ? null : x)); check("prototypes " + n, () => { let k = 0; for (let at = protos; at; at = Object.getPrototypeOf(at)) k++; return k; }, 0);
  const bounds = nest(n, (x) => (x === 1 ? () => 5 : x).bind(null)); if (n < 5000) check("bound " + n, () => bounds(), 0); else check("bound " + n, () => typeof bounds, 0);
  const closures = nest(n, (x) => () => x); check("closures " + n, () => { let k = 0; let at = closures; while (typeof at === "function") { at = at(); k++; } return k; }, 0);
  const cyc = list(n); let end = cyc; while (end.next) end = end.next; end.next = cyc; check("a ring " + n, () => cyc.next.v, 0);
  const all = []; { let l = null; for (let i = 0; i < n; i++) { l = { v: i, next: l }; all.push(l); } } check("items that hold the one before " + n, () => all.length, 0);
  check("items that hold the next one " + n, ((r) => () => r.length)([...all].reverse()), 0);
  const boxed = nest(n, (x) => Object.assign([x], {})); const e = new Error("x", { cause: { deep: list(n) } }); check("in an error " + n, () => depth(e.cause.deep), 0);
  const frozen = nest(n, (x) => Object.freeze({ next: x })); check("frozen " + n, () => depth(frozen), 0);
}
{
  const n = 100_000; const l = list(n); check("list of a hundred thousand", () => depth(l), 0);
  const protos = nest(n, (x) => Object.create(x === 1 ? null : x)); check("a hundred thousand that inherit from each other", () => typeof protos, 0);
  const inside = [{ p: nest(n, (x) => Object.create(x === 1 ? Object.prototype : x)) }]; check("those, inside of data", () => inside.length, 0);
  const chained = nest(n, (x) => () => x); check("a hundred thousand closures", () => typeof chained, 0);
  const bounds = nest(n, (x) => (x === 1 ? () => 5 : x).bind(null)); check("a function that was bound a hundred thousand times", () => typeof bounds, 0); check("that function itself", bounds, 0);
  const classes = nest(4000, (x) => class extends (x === 1 ? Object : x) {}); check("classes that extend each other", () => typeof classes, 0);
  const fns = nest(4000, (x) => Object.setPrototypeOf(() => 1, x === 1 ? Function.prototype : x)); check("functions that inherit from each other", () => typeof fns, 0);
}
