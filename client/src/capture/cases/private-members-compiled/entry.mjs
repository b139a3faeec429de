// What TypeScript makes of private members for runtimes that do not have them.
var __classPrivateFieldGet = (receiver, state, kind, f) => (kind === "m" ? f : state.get(receiver));
var __classPrivateFieldSet = (receiver, state, value) => (state.set(receiver, value), value);
var _Account_balance, _Account_instances, _Account_fee;
class Account {
  constructor(balance) {
    _Account_instances.add(this);
    _Account_balance.set(this, void 0);
    __classPrivateFieldSet(this, _Account_balance, balance, "f");
  }
  withdraw(sum) {
    return __classPrivateFieldSet(this, _Account_balance, __classPrivateFieldGet(this, _Account_balance, "f") - sum - __classPrivateFieldGet(this, _Account_instances, "m", _Account_fee).call(this), "f");
  }
}
_Account_balance = new WeakMap(), _Account_instances = new WeakSet(), _Account_fee = function _Account_fee() { return 1; };
const accounts = [new Account(100), new Account(50)]; const unused = new Account(7);
check("instances take their private members along, each its own", (sum) => accounts.map((account) => account.withdraw(sum)), 10);
const cache = new WeakMap(); const remember = (key) => { cache.set(key, 1); return cache.has(key); };
check("a WeakMap of the program itself is refused", () => remember({}), 0);
