/** A library that keeps what its decorators say in its own memory, as class-transformer does. */
class Register {
  kept = new Map();
  add(target, key, make) {
    const members = this.kept.get(target) ?? new Map();
    this.kept.set(target, members.set(key, make));
  }
}
const register = new Register();
/** Each of these says its own of a class: by itself, by its prototype, in a list, weakly, in a private place of a closure. */
export const Type = (make) => (target, key) => register.add(target.constructor, key, make);
const byPrototype = new Set();
export const Seen = (target) => void byPrototype.add(target);
const entities = [];
export const Entity = (name) => (target) => void entities.push({ target, name });
const weak = new WeakMap();
export const Tagged = (tag) => (target) => void weak.set(target, tag);
globalThis.registerOfTest ??= new Register();
export const Shared = (target, key) => globalThis.registerOfTest.add(target.constructor, key, String);
/** Notes nothing. */
export const Traced = (_target, _key, descriptor) => ({ ...descriptor, value(...args) { return ["traced", descriptor.value.apply(this, args)]; } });
/** Notes the class where those that use `make` do not look. */
const elsewhere = new Map();
export const Unread = (target) => void elsewhere.set(target, 1);

export const make = (Class, plain) => Object.assign(new Class(), Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, register.kept.get(Class)?.get(key)?.(value) ?? value])));
export const isSeen = (Class) => byPrototype.has(Class.prototype);
export const nameOf = (Class) => entities.find(({ target }) => target === Class)?.name;
export const tagOf = (Class) => weak.get(Class);
