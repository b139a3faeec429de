import { types } from "node:util";
import { isWithoutState } from "./brands.ts";
import { classNamesOf } from "./kinds.ts";

/** What a value that cannot be copied is, and what to do about it. */
export interface Refusal {
  what: string;
  cure: string;
}

const MAKE_IT_THERE = "Create it inside the function, or in a module that the function imports.";

/** Why the object cannot travel, whatever it holds; undefined if it may. */
export function refusal(value: object): Refusal | undefined {
  if (types.isProxy(value)) return { what: "it is a Proxy, whose handler cannot be read", cure: "Send a plain copy: { ...proxy }." };
  if (types.isPromise(value)) return { what: "it is a promise", cure: "Await it first and use its value." };
  if (types.isWeakMap(value)) return { what: "it is a WeakMap, whose keys cannot be listed", cure: `Use a Map. ${MAKE_IT_THERE}` };
  if (types.isWeakSet(value)) return { what: "it is a WeakSet, whose members cannot be listed", cure: `Use a Set. ${MAKE_IT_THERE}` };
  if (value instanceof WeakRef && !isWithoutState(WeakRef, value)) return { what: "it is a WeakRef", cure: "Use the object itself." };
  if (value instanceof FinalizationRegistry && !isWithoutState(FinalizationRegistry, value)) return { what: "it is a FinalizationRegistry", cure: MAKE_IT_THERE };
  if (types.isGeneratorObject(value)) {
    return { what: "it is a running generator", cure: "Send the generator function, or the values in an array." };
  }
  if (isRunningIterator(value)) {
    return { what: "it is a running iterator", cure: "Send the values in an array: [...iterator]." };
  }
  if (types.isSharedArrayBuffer(value)) {
    return { what: "it is memory shared between threads (SharedArrayBuffer)", cure: "Copy it: new Uint8Array(shared).slice()." };
  }
  if (types.isExternal(value)) return { what: "it is a native handle", cure: MAKE_IT_THERE };
  return undefined;
}

const ITERATOR_PROTOTYPE = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()) as object) as object;

const GENERATOR_NEXTS: readonly unknown[] = [(function* () {}).prototype, (async function* () {}).prototype].map((prototype) => (prototype as { next: unknown }).next);

/** Whether the object is the iterator of an array, a string, a Map..., or made by the helpers of those. */
function isRunningIterator(value: object): boolean {
  if (types.isMapIterator(value) || types.isSetIterator(value)) return true;
  if (!Object.prototype.isPrototypeOf.call(ITERATOR_PROTOTYPE, value)) return false;
  const { next } = value as { next?: unknown };
  // What inherits from a generator function's prototype and is no generator was made by the program itself.
  if (GENERATOR_NEXTS.includes(next)) return false;
  return typeof next === "function" && /\[native code\]/.test(Function.prototype.toString.call(next));
}

/** Why an instance of a class whose state JavaScript cannot see cannot travel. `className` is the nearest of those in its chain. */
export function nativeInstanceRefusal(className: string): Refusal {
  const described = DESCRIPTIONS[className];
  if (described !== undefined) return described;
  return { what: `it is a native handle (an object of the native class ${className})`, cure: MAKE_IT_THERE };
}

const OPEN_IT_THERE = "Open it inside the function, so that each worker has its own.";

const DESCRIPTIONS: Readonly<Record<string, Refusal>> = {
  Socket: { what: "it is a socket", cure: OPEN_IT_THERE },
  TLSSocket: { what: "it is a socket", cure: OPEN_IT_THERE },
  Server: { what: "it is a server", cure: OPEN_IT_THERE },
  FileHandle: { what: "it is an open file", cure: OPEN_IT_THERE },
  Worker: { what: "it is a worker thread", cure: MAKE_IT_THERE },
  ChildProcess: { what: "it is a child process", cure: MAKE_IT_THERE },
  MessagePort: { what: "it is a message port", cure: MAKE_IT_THERE },
  Timeout: { what: "it is a timer", cure: "Start the timer inside the function." },
  Immediate: { what: "it is a timer", cure: "Start the timer inside the function." },
  AbortSignal: { what: "it is an AbortSignal", cure: "Use context.signal, the second argument of your function." },
  AbortController: { what: "it is an AbortController", cure: "Use context.signal, the second argument of your function." },
  Response: { what: "it is a Response", cure: "Read it first and use what it holds: await response.text()." },
  Request: { what: "it is a Request", cure: "Make it inside the function, or send its URL." },
  Blob: { what: "it is a Blob", cure: "Read it first and use its bytes: await blob.arrayBuffer()." },
  File: { what: "it is a File", cure: "Read it first and use its bytes: await file.arrayBuffer()." },
  SecretKeyObject: { what: "it is a key", cure: 'Export it first: key.export({ format: "jwk" }).' },
  PublicKeyObject: { what: "it is a key", cure: 'Export it first: key.export({ format: "jwk" }).' },
  PrivateKeyObject: { what: "it is a key", cure: 'Export it first: key.export({ format: "jwk" }).' },
  AsyncLocalStorage: { what: "it is an AsyncLocalStorage", cure: MAKE_IT_THERE },
  ...Object.fromEntries(
    ["Readable", "Writable", "Duplex", "Transform", "PassThrough", "ReadStream", "WriteStream", "Stream", "ReadableStream", "WritableStream", "TransformStream"].map(
      (name) => [name, { what: "it is a stream", cure: OPEN_IT_THERE }],
    ),
  ),
};

/** How an object is made again: the class, its name as code writes it, and its arguments. */
export interface Rebuilt {
  constructor: unknown;
  className: string;
  args: unknown[];
}

/** Classes of the platform that hide their state but can be made again from what they show. */
export function rebuilt(value: object): Rebuilt | undefined {
  try {
    return rebuiltWeb(value) ?? rebuiltIntl(value);
  } catch {
    // It only inherits from such a class, and shows nothing.
    return undefined;
  }
}

function rebuiltWeb(value: object): Rebuilt | undefined {
  if (value instanceof URL) return { constructor: URL, className: "URL", args: [value.href] };
  if (value instanceof URLSearchParams) return { constructor: URLSearchParams, className: "URLSearchParams", args: [value.toString()] };
  if (value instanceof TextEncoder) return value.encoding === "utf-8" ? { constructor: TextEncoder, className: "TextEncoder", args: [] } : undefined;
  if (value instanceof TextDecoder) {
    return { constructor: TextDecoder, className: "TextDecoder", args: [value.encoding, { fatal: value.fatal, ignoreBOM: value.ignoreBOM }] };
  }
  // Asked by name first: looking at these globals loads them.
  const names = classNamesOf(value);
  if (names.includes("Headers") && value instanceof Headers) return { constructor: Headers, className: "Headers", args: [[...value]] };
  if (names.includes("DOMException") && value instanceof DOMException) return { constructor: DOMException, className: "DOMException", args: [value.message, value.name] };
  return undefined;
}

function rebuiltIntl(value: object): Rebuilt | undefined {
  if (value instanceof Intl.Locale) return { constructor: Intl.Locale, className: "Intl.Locale", args: [value.toString()] };
  const names = ["NumberFormat", "DateTimeFormat", "Collator", "PluralRules", "RelativeTimeFormat", "ListFormat", "Segmenter", "DisplayNames", "DurationFormat"];
  for (const name of names) {
    const constructor = (Intl as unknown as Record<string, (new () => object) | undefined>)[name];
    if (constructor === undefined || !(value instanceof constructor)) continue;
    const { locale, ...options } = (value as Intl.NumberFormat).resolvedOptions();
    return { constructor, className: `Intl.${name}`, args: [locale, options] };
  }
  return undefined;
}
