const METHOD = "go"; const GET = "getter"; const ST = "stat"; const SYM = Symbol("sy"); const FIELD = "fld"; const SFIELD = "sfld"; const pick = (s) => s + "!"; const NAMES = { a: "fromMember" };
class Task { [METHOD]() { return 1; } get [GET]() { return 2; } static [ST]() { return 3; } [SYM]() { return 4; } [FIELD] = 5; static [SFIELD] = 6; [pick("x")]() { return 7; } [NAMES.a]() { return 8; } [`t${METHOD}`]() { return 9; } static async *[Symbol.asyncIterator]() { yield 1; } set [GET](v) { this.v = v; } }
check("computed members", () => { const t = new Task(); t[GET] = 3; return [t.go(), t.getter, Task.stat(), t[SYM](), t.fld, Task.sfld, t["x!"](), t.fromMember(), t.tgo(), t.v, Object.getOwnPropertyNames(Task.prototype)]; }, 0);
check("only through names", () => { const t = new Task(); return [t.go(), t.getter, Task.stat(), t.fld, Task.sfld, t["x!"]()]; }, 0);
const task = new Task(); 
check("instance only", () => [task.go(), task.fld, task["x!"]()], 0);
check("the class alone", ((T) => () => new T().go())(Task), 0);
function make(){ const INNER = "inner"; const deep = () => INNER; return class K { [INNER]() { return "k"; } static [deep() + "2"] = 4; [deep()+"3"]() { return 5; } }; }
const K = make();
check("inside a function", () => [new K().inner(), K.inner2, new K().inner3()], 0);
const Expr = class { static [METHOD] = 1; [METHOD] = 2; static { this.z = METHOD; } };
check("class expressions", () => [Expr.go, new Expr().go, Expr.z], 0);
const obj = { [METHOD]: 1, [pick("y")]() { return 2; }, get [GET]() { return 3; }, [SYM]: 4, nested: { [FIELD]() { return METHOD; } } };
check("object literal", () => [obj.go, obj["y!"](), obj.getter, obj[SYM], obj.nested.fld()], 0);
const om = obj["y!"];
check("a method with computed name", (x) => om(x), 0);
const { [METHOD]: dm = FIELD } = {};
check("destructuring in a function", ({ [METHOD]: v = FIELD, ...rest }) => [v, rest, dm], { go: 1, b: 2 }, {});
let counter = 0; const next = () => "n" + counter++;
class Cnt { [next()]() { return 1; } [next()]() { return 2; } static [next()] = 3; [next()] = 4; }
check("names that count", () => { const c = new Cnt(); return [Object.getOwnPropertyNames(Cnt.prototype), Object.keys(Cnt), Object.keys(c), counter]; }, 0);
const rnd = () => Math.random().toString(36).slice(2);
class Rnd { [rnd()]() { return 1; } [rnd()] = 2; static [rnd()]() {} }
check("random names", () => { return [Object.getOwnPropertyNames(Rnd.prototype), Object.keys(new Rnd()), Object.getOwnPropertyNames(Rnd)]; }, 0);
class Priv { #x = 1; [METHOD]() { return this.#x; } static #y = 2; static [FIELD]() { return Priv.#y; } }
const priv = new Priv();
check("with private", () => [priv.go(), Priv.fld(), new Priv().go()], 0);
class Sub extends Task { [METHOD]() { return super[METHOD]() + 100; } static [ST]() { return super[ST]() + 100; } }
check("sub", () => [new Sub().go(), Sub.stat(), new Sub().fld], 0);
class Num { [1]() { return 1; } 2() { return 2; } 'str k'() { return 3; } [null]() { return 4; } [{ toString: () => "ts" }.toString()]() { return 5; } }
check("numbers", () => [new Num()[1](), new Num()[2](), new Num()["str k"](), new Num()[null](), new Num().ts()], 0);
class SelfRef { static A = "x"; static [`q`] = SelfRef; static make() { return new SelfRef(); } }
check("self", () => [SelfRef.q === SelfRef, SelfRef.make() instanceof SelfRef], 0);
class Acc { static accessorMade = [1,2].map((x) => METHOD + x); }
check("static init", () => Acc.accessorMade, 0);
class ThisName { [this?.constructor?.name ?? "nothis"]() { return 1; } }
check("this in name", () => Object.getOwnPropertyNames(ThisName.prototype), 0);
class Del { [METHOD]() {} other() {} } delete Del.prototype.go;
check("deleted", () => Object.getOwnPropertyNames(Del.prototype), 0);
class Rep { [METHOD]() { return 1; } } Rep.prototype.go = function () { return 2; };
check("replaced", () => new Rep().go(), 0);
class Rep2 { static m() { return 1; } n() { return 1; } } Rep2.m = () => 2; Rep2.prototype.n = 5; delete Rep2.prototype.constructor;
check("replaced2", () => [Rep2.m(), Rep2.prototype.n, new Rep2().constructor === Object, Object.getOwnPropertyNames(Rep2.prototype)], 0);
class Asi { a = 1; static y = 2
 ;[`k${1}`] = 3
 static z
 static w = () => Asi.y } check("asi", () => [new Asi(), Asi.y, "z" in Asi, Asi.w(), Object.keys(Asi)], 0);
class Ins { [Symbol.for("reg")] = 1; [Symbol.iterator] = 2; } const own = Symbol("own"); class Ins2 { [own] = 3; } const ins2 = new Ins2();
check("symbol fields", () => [new Ins(), new Ins2()[own], ins2[own]], 0);
const hiddenSym = Symbol("hid"); class Ins3 { [hiddenSym] = 3; } 
check("unknown symbol field", () => [Object.getOwnPropertySymbols(new Ins3()).length], 0);
const fac = (K, v) => class { [K]() { return v; } static [K + "s"] = v; [K + "f"] = v; }; const C1 = fac("one", 1), C2 = fac("two", 2);
check("factories", () => [new C1().one(), new C2().two(), C1.ones, C2.twos, new C1().onef, new C2().twof], 0);
function makeM(METHOD) { class Task { [METHOD]() { return 1; } } return (x) => new Task()[x](); }
check("advised", makeM("go"), "go");
let deep = class {}; for (let i = 0; i < 5; i++) deep = class extends deep { [`m${i}`]() { return i; } }; check("chain", () => [0,1,2,3,4].map((i) => new deep()[`m${i}`]()), 0);
