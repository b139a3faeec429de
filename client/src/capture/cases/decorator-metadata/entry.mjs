// What tsc makes of classes with decorators, under `emitDecoratorMetadata`.
import "reflect-metadata";
import { Tagged, tagsOf } from "./tags.mjs";
const __decorate = (decorators, target, key, desc) => { const c = arguments_(desc, key) < 3; let r = c ? target : desc === null ? (desc = Object.getOwnPropertyDescriptor(target, key)) : desc; for (let i = decorators.length - 1; i >= 0; i--) { const d = decorators[i]; if (d) r = (c ? d(r) : d(target, key, r)) || r; } if (!c && r) Object.defineProperty(target, key, r); return r; };
const arguments_ = (desc, key) => (key === undefined ? 2 : desc === undefined ? 3 : 4);
const __metadata = (k, v) => { if (typeof Reflect === "object" && typeof Reflect.metadata === "function") return Reflect.metadata(k, v); };
const Column = (options) => (target, key) => Reflect.defineMetadata("column", { options, type: Reflect.getMetadata("design:type", target, key)?.name }, target, key);
const Entity = (name) => (target) => Reflect.defineMetadata("entity", name, target);

let Address = class Address { street = ""; };
__decorate([Column({ length: 5 }), __metadata("design:type", String)], Address.prototype, "street", void 0);
class Base { id = 0; static make() { return new this(); } }
__decorate([Column({}), __metadata("design:type", Number)], Base.prototype, "id", void 0);
let User = class User extends Base { constructor(address, when) { super(); this.address = address; this.when = when; } greet(name) { return "hi " + name; } static of(x) { return new User(x); } };
__decorate([Column({ lazy: () => Address }), __metadata("design:type", Address)], User.prototype, "address", void 0);
__decorate([__metadata("design:type", Function), __metadata("design:paramtypes", [String]), __metadata("design:returntype", Promise)], User.prototype, "greet", null);
__decorate([__metadata("design:type", Function), __metadata("design:paramtypes", [Object])], User, "of", null);
User = __decorate([Entity("users"), __metadata("design:paramtypes", [Address, Date])], User);

const all = (target, key) => Object.fromEntries(Reflect.getMetadataKeys(target, key).map((k) => [k, Reflect.getMetadata(k, target, key)]));
check("types of a member, and notes of one's own", () => [all(User.prototype, "address").column, Reflect.getMetadata("design:type", User.prototype, "address") === Address], 0);
check("all that is known of each member", (key) => all(User.prototype, key), "id", "address", "greet", "street");
check("the class itself, its constructor's parameters, its statics", () => [all(User), all(User, "of"), Reflect.getMetadata("design:paramtypes", User).map((x) => x.name)], 0);
check("by way of an instance", ((user) => () => [Reflect.getMetadata("design:returntype", user, "greet") === Promise, Reflect.getMetadata("design:type", user, "id").name, user.greet("x")])(new User(new Address(), new Date(0))), 0);
check("own and inherited ones", () => [Reflect.getOwnMetadataKeys(User.prototype, "id"), Reflect.getMetadataKeys(User.prototype, "id"), Reflect.getOwnMetadataKeys(Base.prototype, "id")], 0);
check("a note that names a function, which names the class", () => Reflect.getMetadata("column", User.prototype, "address").options.lazy() === Address, 0);
check("injection by types, as containers do it", () => { const make = (T) => new T(...(Reflect.getMetadata("design:paramtypes", T) ?? []).map(make)); const user = make(User); return [user.address instanceof Address, user.when instanceof Date]; }, 0);
const key = Symbol("secret"); const marked = { a: 1 }; Reflect.defineMetadata(key, new Map([["k", [marked]]]), marked); Reflect.defineMetadata("m", 7, marked, "a");
check("notes of an object, under a symbol, that lead back to it", () => [Reflect.getMetadata(key, marked).get("k")[0] === marked, Reflect.getMetadata("m", marked, "a"), Reflect.hasMetadata("secret", marked)], 0);
function old() {} old.prototype.run = function () {}; Reflect.defineMetadata("role", "admin", old.prototype, "run"); Reflect.defineMetadata("role", "root", old);
check("functions and what is in their prototype", () => [Reflect.getMetadata("role", old.prototype, "run"), Reflect.getMetadata("role", old), Reflect.getMetadata("role", new old(), "run")], 0);
const noted = () => 1; Reflect.defineMetadata("cost", 3n, noted); check("an arrow", () => [noted(), Reflect.getMetadata("cost", noted)], 0);
check("none where there are none", () => [Reflect.getMetadataKeys(class {}), Reflect.getMetadata("x", {})], 0);
check("an imported class, its notes made by its module", () => [tagsOf(Tagged), tagsOf(new Tagged().constructor), all(Tagged.prototype, "run")], 0);
class Local extends Tagged {} Reflect.defineMetadata("tags", ["own"], Local);
check("a class of the program that extends an imported one", () => [tagsOf(Local), Reflect.getMetadata("cost", Local.prototype, "run")], 0);
const held = { socket: Promise.resolve() }; class Holder {} Reflect.defineMetadata("pool", held, Holder.prototype, "pool");
check("a note that cannot travel", () => new Holder(), 0);
const keyless = class {}; Reflect.defineMetadata(undefined, 1, keyless); Reflect.defineMetadata(NaN, 2, keyless, 5);
check("odd keys", () => [Reflect.getMetadata(undefined, keyless), Reflect.getMetadata(NaN, keyless, "5")], 0);
