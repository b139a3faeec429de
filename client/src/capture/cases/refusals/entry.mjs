import net from "node:net"; import { EventEmitter } from "node:events"; import { createReadStream } from "node:fs"; import { AsyncLocalStorage } from "node:async_hooks"; import { createSecretKey } from "node:crypto";
const score = (value) => (x) => [x, value];
const refuse = (title, value) => check(title, score(value), 1);
const server = net.createServer(); server.listen(0, "127.0.0.1"); await new Promise((r) => server.once("listening", r));
const socket = net.connect(server.address().port, "127.0.0.1"); await new Promise((r) => socket.once("connect", r));
const db = { socket };
check("a socket", function score(x) { return db.socket.write(x); }, 1);
refuse("a server", server);
socket.destroy(); server.close();
refuse("a WeakMap", { cache: new WeakMap() });
refuse("a WeakSet", new WeakSet());
refuse("a WeakRef", new WeakRef({}));
refuse("a promise", [Promise.resolve(1)]);
refuse("a proxy", new Proxy({}, {}));
refuse("a generator", (function* () { yield 1; })());
refuse("an iterator", new Map([[1, 2]]).entries());
refuse("a stream", { deep: { stream: createReadStream("/dev/null") } });
const timer = setTimeout(() => {}, 1); clearTimeout(timer);
refuse("a timer", timer);
refuse("an AbortSignal", new AbortController().signal);
refuse("shared memory", new SharedArrayBuffer(8));
refuse("AsyncLocalStorage", new AsyncLocalStorage());
refuse("a finalization registry", new FinalizationRegistry(() => {}));
refuse("in a Map", new Map([["key", { inner: Promise.resolve() }]]));
refuse("in a class instance", new (class Holder { field = new WeakMap(); })());
refuse("a native module's instance", new WebAssembly.Memory({ initial: 1 }));
check("eval", (x) => eval("x"), 1);
check("not initialised", () => later.value, 1);
check("a class not initialised", () => new Later(), 1);
const later = { value: 1 }; class Later {}
const emitter = new EventEmitter(); emitter.on("x", (v) => { emitter.last = v; });
check("an EventEmitter works", (x) => { emitter.emit("x", x); return emitter.last; }, 6);
class Q { #p = 1; method() { return () => this.#p; } }
check("a private name outside its class", new Q().method(), 1);
class Sup { a() { return 1; } } class Sub extends Sup { a() { return super.a(); } }
check("super without its object", Sub.prototype.a, 1);
refuse("an array's iterator", [1][Symbol.iterator]());
refuse("a string's matches", "abab".matchAll(/a/g));
{ let settle, reject; void new Promise((a, b) => { [settle, reject] = [a, b]; }); refuse("what settles a promise", settle); const waiting = { queue: [{ reject }] }; refuse("something that waits", waiting); }
refuse("a Response", new Response("a"));
refuse("a Blob", new Blob(["a"]));
refuse("a key", createSecretKey(Buffer.from("a")));
