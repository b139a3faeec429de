// What tsc makes of classes whose decorators tell a library of them.
import { Entity, isSeen, make, nameOf, Seen, Shared, Tagged, tagOf, Traced, Type, Unread } from "./register.mjs";
import * as library from "./register.mjs";
import { Photo } from "./photo.mjs";
const __decorate = (decorators, target, key, desc) => { for (const d of decorators.reverse()) { if (key === undefined) target = d(target) ?? target; else desc = d(target, key, desc) ?? desc; } if (key !== undefined && desc) Object.defineProperty(target, key, desc); return target; };

class User { size = ""; }
__decorate([Type(Number)], User.prototype, "size");
let Named = class Named {};
Named = __decorate([Entity("named")], Named);
let Marked = class Marked {};
Marked = __decorate([Tagged("m")], Marked);
class Old { run() { return 1; } }
__decorate([Seen], Old.prototype, "run", Object.getOwnPropertyDescriptor(Old.prototype, "run"));
class Global {}
__decorate([Shared], Global.prototype, "size");
class Wrapped { run() { return 1; } }
__decorate([Traced], Wrapped.prototype, "run", Object.getOwnPropertyDescriptor(Wrapped.prototype, "run"));
let Quiet = class Quiet { run() { return 2; } };
Quiet = __decorate([Unread], Quiet);
class Undecorated { size = "1"; }
const noted = new Map([[User, 1]]);

check("a map of classes", (plain) => make(User, plain), { size: "5" });
check("by way of an instance", ((user) => (plain) => [user.size, make(user.constructor, plain)])(new User()), { size: "5" });
check("a list of entries", () => nameOf(Named));
check("weakly", () => tagOf(Marked));
check("by the prototype", () => isSeen(Old));
check("known to a global that nobody asks here", () => [library.Shared.length, new Global()]);
check("through the library as a whole", (plain) => library.make(User, plain), { size: "5" });
check("a class in a module of its own", (plain) => make(Photo, plain), { size: "5" });
check("a class that the library was not told of", (plain) => make(Undecorated, plain), { size: "5" });
check("a decorator that only wraps", () => [new Wrapped().run(), make(Undecorated, {}).size], 0);
check("a class whose library is not used", () => [new User().size, new Quiet().run()], 0);
check("a register of the program's own", () => [noted.get(User), new User().size], 0);
