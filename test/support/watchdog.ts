/**
 * Loaded into the process of each test file: where nothing begins or ends for long, it says which test hangs, or that all
 * are over, and what is open, and fails the file. The runner's own limit is for whole files, and names nothing else.
 * A file that passes is written into a list.
 */
import { appendFileSync } from "node:fs";
import { after, afterEach, beforeEach } from "node:test";
import { isMainThread } from "node:worker_threads";

/** Several times what the longest test takes. */
const QUIET_MS = Number(process.env["BURLA_TEST_QUIET_MS"] ?? 8 * 60_000);

/** As much of a report as is read here. */
interface Report {
  readonly libuv: readonly {
    readonly type: string;
    readonly is_active: boolean;
    readonly is_referenced: boolean;
    readonly pid?: number;
    readonly remoteEndpoint?: { readonly port: number };
    readonly localEndpoint?: { readonly port: number };
  }[];
}

// A program that a test starts may have inherited the options of its file.
if (isMainThread && process.env["NODE_TEST_CONTEXT"]?.startsWith("child") === true && process.argv[1]?.endsWith(".test.ts") === true) {
  watch();
  const { BURLA_TEST_PASSED_LIST: passedList } = process.env;
  const [, file = ""] = process.argv;
  process.once("exit", (code) => void (code === 0 && passedList !== undefined && appendFileSync(passedList, `${file}\n`)));
}

function watch(): void {
  const running = new Map<object, string>();
  let areOver = false;
  const timer = setTimeout(() => bark(running.size === 0 ? [areOver ? "its tests are over" : "no test runs: a hook"] : [...running.values()].map((name) => `test "${name}"`)), QUIET_MS).unref();
  beforeEach((context) => {
    timer.refresh();
    running.set(context, context.name);
  });
  afterEach((context) => {
    timer.refresh();
    running.delete(context);
  });
  after(() => {
    timer.refresh();
    areOver = true;
  });
}

function bark(what: readonly string[]): never {
  console.error(`${process.argv[1] ?? ""} hangs: for ${QUIET_MS / 1000} s nothing began or ended in ${what.join(", ")}.`);
  console.error(`Open are: ${open().join("; ") || "no handles"} (${process.getActiveResourcesInfo().join(", ")})`);
  process.exit(1);
}

function open(): string[] {
  const { libuv } = process.report.getReport() as unknown as Report;
  return libuv
    .filter(({ is_active, is_referenced }) => is_active && is_referenced)
    .map(({ type, pid, localEndpoint, remoteEndpoint }) =>
      [type, pid !== undefined && `of process ${pid}`, localEndpoint && `from port ${localEndpoint.port}`, remoteEndpoint && `to port ${remoteEndpoint.port}`].filter(Boolean).join(" "));
}
