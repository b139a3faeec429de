import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import inspector, { Session, url as debuggerUrl } from "node:inspector";
import type { Debugger, Runtime } from "node:inspector";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeHeapSnapshot } from "node:v8";
import { readPlainFile, standsThere } from "./plain-file.ts";
import { fileOf, Script } from "./script.ts";

/** One scope that a function closes over, innermost first. */
export interface ScopeSnapshot {
  /** V8's word for it: `Closure (name)`, `Block`, `Module`, `Script`, `Catch`... */
  description: string;
  /** The variables as they are now. V8 copies them for us: writing here changes nothing in the program. */
  variables: Record<string, unknown>;
}

/** Stands for the value of a variable whose declaration was not reached yet. */
export const UNINITIALISED = Symbol("uninitialised");

/** The value of a variable of the scope, or {@link UNINITIALISED} where V8 tells. */
export function readVariable({ variables }: ScopeSnapshot, name: string): unknown {
  try {
    return variables[name];
  } catch {
    // Newer versions of V8 throw; older ones give undefined.
    return UNINITIALISED;
  }
}

/** What V8 knows about one function. */
export interface FunctionFacts {
  /** Undefined for native and bound functions. */
  location: { script: Script; offset: number } | undefined;
  /** Without the global scope. */
  scopes: ScopeSnapshot[];
  bound: { target: unknown; boundThis: unknown; boundArgs: unknown[] } | undefined;
}

interface Holder {
  subject: unknown;
  answer: unknown;
}

const HOLDER_KEY = "burla.capture.holder";
const OBJECT_GROUP = "burla-capture";

/**
 * What was read of this process and cannot change: scripts that a captured function came from, by V8's script id, which
 * is never used twice.
 */
export class ScriptStore {
  /** The `this` that arrow functions closed over, which never changes and is slow to find. */
  readonly outerThis = new WeakMap<object, { value: unknown }>();
  readonly #scripts = new Map<string, Script>();

  get(id: string): Script | undefined {
    return this.#scripts.get(id);
  }

  add(script: Script): void {
    this.#scripts.set(script.id, script);
  }
}

/**
 * Reads functions through V8's inspector, inside this process. Every command here is answered before `post` returns.
 * The debugger is only switched on for the moment in which a script is seen for the first time: function positions and
 * scopes can be read without it, and code runs slower while it is on. Other debuggers that are attached notice nothing.
 */
export class Inspector {
  readonly #session = new Session();
  readonly #holder: Holder = { subject: undefined, answer: undefined };
  readonly #holderId: string;
  readonly #store: ScriptStore;

  constructor(store: ScriptStore) {
    this.#store = store;
    this.#session.connect();
    const key = Symbol.for(HOLDER_KEY);
    // By way of Node's module, since the global object here may be another than V8 evaluates in: that of a `vm` context.
    const meeting = inspector as unknown as Record<symbol, unknown>;
    meeting[key] = this.#holder;
    try {
      const { result } = this.#post("Runtime.evaluate", {
        expression: `process.getBuiltinModule("node:inspector")[Symbol.for(${JSON.stringify(HOLDER_KEY)})]`,
        objectGroup: OBJECT_GROUP,
        silent: true,
      }) as Runtime.EvaluateReturnType;
      this.#holderId = result.objectId as string;
    } finally {
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
      delete meeting[key];
    }
  }

  /** Detaches from V8. */
  close(): void {
    this.#post("Runtime.releaseObjectGroup", { objectGroup: OBJECT_GROUP });
    this.#session.disconnect();
  }

  /** Where the function comes from and what it closes over. */
  describe(fn: unknown): FunctionFacts {
    const internals = this.#internals(fn);
    const target = internals.get("[[TargetFunction]]");
    if (target !== undefined) {
      return { location: undefined, scopes: [], bound: this.#bound(target, internals) };
    }
    const at = internals.get("[[FunctionLocation]]")?.value as Debugger.Location | undefined;
    if (at === undefined) return { location: undefined, scopes: [], bound: undefined };
    const scopes = this.#scopes(internals);
    const script = this.#knownScript(fn, at) ?? this.#runningScript(fn, at, scopes) ?? this.#script(at.scriptId);
    const offset = script.offsetOf(at.lineNumber, at.columnNumber ?? 0);
    return { location: { script, offset }, scopes, bound: undefined };
  }

  /** The private members of an object, by name with the `#`, in the order in which its classes added them. */
  privateMembers(object: object): { name: string; value: unknown }[] {
    const { privateProperties = [] } = this.#properties(object);
    return privateProperties.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value: this.#value(value) }]));
  }

  /** The own properties of an array that are no elements; asking JavaScript for them makes a text for each element. */
  namedProperties(array: object): string[] {
    const { result } = this.#post("Runtime.getProperties", {
      objectId: this.#remote(array).objectId,
      ownProperties: true,
      nonIndexedPropertiesOnly: true,
    }) as Runtime.GetPropertiesReturnType;
    return result.map(({ name }) => name).filter((name) => name !== "length" && name !== "__proto__");
  }

  /** What a WeakMap or WeakSet holds just now. */
  weakEntries(collection: object): { key: object; value: unknown }[] {
    const list = this.#internals(collection).get("[[Entries]]");
    const entries = list === undefined ? [] : Array.from(this.#value(list) as ArrayLike<{ key?: object; value: unknown }>);
    return entries.map(({ key, value }) => (key === undefined ? { key: value as object, value: undefined } : { key, value }));
  }

  /** The texts of all scripts whose files are wanted, as V8 runs them, by file. */
  textsOf(isWanted: (file: string) => boolean): Map<string, string> {
    const ids = new Map<string, string>();
    const listen = ({ params }: { params: Debugger.ScriptParsedEventDataType }): void => {
      const file = fileOf(params.url);
      if (file !== undefined && isWanted(file)) ids.set(file, params.scriptId);
    };
    this.#session.on("Debugger.scriptParsed", listen);
    try {
      this.#post("Debugger.enable");
      return new Map([...ids].map(([file, scriptId]) => [file, (this.#post("Debugger.getScriptSource", { scriptId }) as { scriptSource: string }).scriptSource]));
    } finally {
      this.#session.off("Debugger.scriptParsed", listen);
      this.#post("Debugger.disable");
    }
  }

  /** V8's heap snapshot as JSON. Takes a second per few hundred MB of heap. */
  heapSnapshot(): unknown {
    // By way of a file: newer versions of Node hand a session its chunks too late.
    const file = join(tmpdir(), `burla-${process.pid}-${randomUUID()}.heapsnapshot`);
    try {
      writeHeapSnapshot(file, { exposeNumericValues: true });
      return JSON.parse(readFileSync(file, "utf8"));
    } finally {
      rmSync(file, { force: true });
    }
  }

  /**
   * The `this` of every call that is running right now and belongs to a function which `isWanted` names by script and
   * position. Stops this thread for a moment inside a function of ours to look at its callers, so it is not done while
   * another debugger is attached, which would show that stop to the user: then undefined.
   */
  runningThis(isWanted: (script: Script, offset: number) => boolean): unknown[] | undefined {
    if (debuggerUrl() !== undefined) return undefined;
    const found: unknown[] = [];
    const paused = ({ params }: { params: Debugger.PausedEventDataType }): void => {
      for (const frame of params.callFrames) {
        const at = frame.functionLocation;
        const script = at === undefined ? undefined : this.#store.get(at.scriptId);
        if (at === undefined || script === undefined) continue;
        if (isWanted(script, script.offsetOf(at.lineNumber, at.columnNumber ?? 0))) found.push(this.#value(frame.this));
      }
    };
    const stopHere = (): void => undefined;
    this.#session.on("Debugger.paused", paused);
    try {
      this.#post("Debugger.enable");
      const { objectId } = this.#remote(stopHere);
      const { breakpointId } = this.#post("Debugger.setBreakpointOnFunctionCall", { objectId }) as { breakpointId: string };
      stopHere();
      this.#post("Debugger.removeBreakpoint", { breakpointId });
    } finally {
      this.#session.off("Debugger.paused", paused);
      this.#post("Debugger.disable");
    }
    return found;
  }

  /** The id under which a heap snapshot of this process lists the object. */
  heapId(object: object | symbol): number {
    const { heapSnapshotObjectId } = this.#post("HeapProfiler.getHeapObjectId", {
      objectId: this.#remote(object).objectId,
    }) as { heapSnapshotObjectId: string };
    return Number(heapSnapshotObjectId);
  }

  /** The object that a heap snapshot lists under this id. */
  objectByHeapId(id: number): unknown {
    const { result } = this.#post("HeapProfiler.getObjectByHeapObjectId", {
      objectId: String(id),
      objectGroup: OBJECT_GROUP,
    }) as { result: Runtime.RemoteObject };
    return this.#value(result);
  }

  #bound(target: Runtime.RemoteObject, internals: Map<string, Runtime.RemoteObject>): FunctionFacts["bound"] {
    const boundThis = internals.get("[[BoundThis]]");
    const boundArgs = internals.get("[[BoundArgs]]");
    return {
      target: this.#value(target),
      boundThis: boundThis === undefined ? undefined : this.#value(boundThis),
      boundArgs: boundArgs === undefined ? [] : Array.from(this.#value(boundArgs) as ArrayLike<unknown>),
    };
  }

  #scopes(internals: Map<string, Runtime.RemoteObject>): ScopeSnapshot[] {
    const list = internals.get("[[Scopes]]");
    if (list === undefined) return [];
    const scopes = Array.from(this.#value(list) as ArrayLike<{ description: string; object: Record<string, unknown> }>);
    return scopes
      .filter((scope) => scope.object !== globalThis)
      .map((scope) => ({ description: scope.description, variables: scope.object }));
  }

  #internals(value: unknown): Map<string, Runtime.RemoteObject> {
    const { internalProperties = [] } = this.#properties(value as object);
    return new Map(
      internalProperties.flatMap((property) => (property.value === undefined ? [] : [[property.name, property.value]])),
    );
  }

  #properties(object: object): Runtime.GetPropertiesReturnType & {
    privateProperties?: { name: string; value?: Runtime.RemoteObject }[];
  } {
    return this.#post("Runtime.getProperties", {
      objectId: this.#remote(object).objectId,
      ownProperties: true,
    }) as Runtime.GetPropertiesReturnType;
  }

  #remote(object: object | symbol): Runtime.RemoteObject {
    this.#holder.subject = object;
    const { result } = this.#post("Runtime.getProperties", {
      objectId: this.#holderId,
      ownProperties: true,
    }) as Runtime.GetPropertiesReturnType;
    this.#holder.subject = undefined;
    return result.find((property) => property.name === "subject")?.value as Runtime.RemoteObject;
  }

  #value(remote: Runtime.RemoteObject): unknown {
    if (remote.objectId === undefined && remote.unserializableValue === undefined) {
      return remote.subtype === "null" ? null : remote.value;
    }
    const argument: Runtime.CallArgument =
      remote.objectId === undefined
        ? { unserializableValue: remote.unserializableValue as string }
        : { objectId: remote.objectId };
    this.#post("Runtime.callFunctionOn", {
      objectId: this.#holderId,
      functionDeclaration: "function (value) { this.answer = value; }",
      arguments: [argument],
      silent: true,
    });
    const { answer } = this.#holder;
    this.#holder.answer = undefined;
    return answer;
  }

  #knownScript(fn: unknown, at: Debugger.Location): Script | undefined {
    const script = this.#store.get(at.scriptId);
    if (script?.isFromFile !== true) return script;
    // A loader may have changed another part of the file than the function that was seen first.
    const text = Function.prototype.toString.call(fn);
    return standsThere(script, text, script.offsetOf(at.lineNumber, at.columnNumber ?? 0)) ? script : this.#script(at.scriptId);
  }

  /**
   * The script of a function whose script has a call on the stack, as that of the caller has: the stack of an error
   * names its file. Switching the debugger on instead takes 40 ms the first time, since V8 then hashes all scripts.
   */
  #runningScript(fn: unknown, at: Debugger.Location, scopes: ScopeSnapshot[]): Script | undefined {
    if (debuggerUrl() !== undefined) return undefined;
    const url = this.#stackUrls().get(at.scriptId);
    if (url === undefined) return undefined;
    const isModule = scopes.some(({ description }) => description === "Module");
    const text = Function.prototype.toString.call(fn);
    const script = readPlainFile({ id: at.scriptId, url, isModule, text, line: at.lineNumber, column: at.columnNumber ?? 0 });
    if (script !== undefined) this.#store.add(script);
    return script;
  }

  /** The files of all running calls, by V8's script id. */
  #stackUrls(): Map<string, string> {
    this.#post("Runtime.enable");
    try {
      const { exceptionDetails } = this.#post("Runtime.evaluate", {
        expression: "throw new Error()",
        silent: true,
      }) as Runtime.EvaluateReturnType;
      const frames = exceptionDetails?.stackTrace?.callFrames ?? [];
      return new Map(frames.map(({ scriptId, url }) => [scriptId, url]));
    } finally {
      this.#post("Runtime.disable");
    }
  }

  #script(id: string): Script {
    let parsed: Debugger.ScriptParsedEventDataType | undefined;
    const listen = ({ params }: { params: Debugger.ScriptParsedEventDataType }): void => {
      if (params.scriptId === id) parsed = params;
    };
    this.#session.on("Debugger.scriptParsed", listen);
    try {
      this.#post("Debugger.enable");
      const { scriptSource } = this.#post("Debugger.getScriptSource", { scriptId: id }) as { scriptSource: string };
      const script = new Script({
        id,
        url: parsed?.url ?? "",
        source: scriptSource,
        isModule: parsed?.isModule ?? false,
        sourceMapUrl: parsed?.sourceMapURL ?? "",
      });
      this.#store.add(script);
      return script;
    } finally {
      this.#session.off("Debugger.scriptParsed", listen);
      this.#post("Debugger.disable");
    }
  }

  #post(method: string, params: object = {}): unknown {
    let failure: Error | null = null;
    let answer: unknown;
    this.#session.post(method, params, (error, result) => {
      failure = error;
      answer = result;
    });
    if (failure !== null) {
      throw new Error(`V8's inspector refused ${method}: ${JSON.stringify(failure)}`, { cause: failure });
    }
    return answer;
  }
}
