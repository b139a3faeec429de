class Animal { static count = 2; static #secret = "s"; legs = 4; constructor(public name: string) { Animal.count++; } speak() { return `${this.name} speaks`; } get upper() { return this.name.toUpperCase(); } static make(n: string) { return new this(n); } static reveal() { return Animal.#secret; } }
class Dog extends Animal { #tricks: string[] = []; static { Dog.count = 10; } learn(t: string) { this.#tricks.push(t); return this; } get tricks() { return this.#tricks; } override speak() { return `${super.speak()} woof ${this.#bark()}`; } #bark() { return this.#tricks.length; } static override make(n: string) { return super.make(n); } }
check("new instance of a subclass", (n: string) => { const d = new Dog(n).learn("sit"); return [d.speak(), d.upper, d.tricks, d instanceof Animal, Dog.count, Animal.count, d.legs]; }, "rex");
check("static methods", (n: string) => [Dog.make(n).name, Animal.reveal(), Dog.name], "rex");
const rex = new Dog("rex").learn("roll");
check("an instance with private fields", () => [rex.speak(), rex.tricks, rex instanceof Dog, rex.learn("x").tricks], 0);
class Model { weight = 2; predict(x: number) { return x * this.weight; } run() { check("this of an arrow function", (x: number) => this.predict(x), 4); } handler = (x: number) => this.weight + x; }
const model = new Model(); model.weight = 5;
check("an instance", (x: number) => model.predict(x), 3);
model.run();
check("an arrow function as a field", model.handler, 3);
const { predict } = model;
check("a method", (x: number) => predict.call(model, x), 3);
const Mixin = <T extends new (...a: any[]) => object>(B: T) => class extends B { mixed() { return "mixed"; } };
class Mixed extends Mixin(Model) {}
check("mixins", (x: number) => { const m = new Mixed(); return [m.mixed(), m.predict(x)]; }, 2);
const key = Symbol("key"); const field = "computed";
class Computed { [key]() { return 1; } [field] = 2; static [Symbol.hasInstance](v: unknown) { return v === 5; } *[Symbol.iterator]() { yield 7; } }
check("computed members", () => { const c = new Computed(); return [c[key](), c[field], (5 as unknown) instanceof Computed, [...c]]; }, 0);
class MyMap<K, V> extends Map<K, V> { getOr(k: K, d: V) { return this.get(k) ?? d; } }
const mine = new MyMap([["a", 1]]);
check("a subclass of Map", (k: string) => [mine.getOr(k, 9), mine instanceof MyMap, mine.size], "a", "b");
class List extends Array<number> { sum() { return this.reduce((a, b) => a + b, 0); } }
const list = List.from([1, 2, 3]) as List;
check("a subclass of Array", () => [list.sum(), list.length, Array.isArray(list)], 0);
function Old(this: { v: number }, v: number) { this.v = v; }
Old.prototype.get = function () { return this.v; };
const old = new (Old as any)(3);
check("a function as a class", (x: number) => [old.get(), new (Old as any)(x).get(), old instanceof (Old as any)], 8);
(Model.prototype as any).patched = function () { return "patched"; };
check("a patched prototype", () => (model as any).patched(), 0);
class Registry { static items = new Map<string, () => number>(); static add(n: string, f: () => number) { Registry.items.set(n, f); } }
Registry.add("one", () => 1);
check("static state", () => [...Registry.items].map(([k, f]) => [k, f()]), 0);
const Anonymous = class { v = 1; };
check("an anonymous class", () => [Anonymous.name, new Anonymous().v], 0);
check("new.target", () => { class T { t = new.target; } function F(this: any) { this.ok = new.target === F; } return [new T().t, new (F as any)().ok]; }, 0);
check("a class as the function's variable", ((C) => (x: number) => new C().predict(x))(Model), 1);
abstract class Shape { abstract area(): number; describe() { return `area ${this.area()}`; } }
class Square extends Shape { constructor(private side: number) { super(); } area() { return this.side ** 2; } }
check("abstract classes", (s: number) => new Square(s).describe(), 3);
