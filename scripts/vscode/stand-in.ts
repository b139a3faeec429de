/**
 * Runs extension host tests with the arguments that `@vscode/test-electron` passes to the desktop's executable, in the
 * VS Code server and a headless Chromium: the same extension host, the same workbench, another window around them.
 */
import { existsSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Browser, Page } from "playwright-core";
import { profileIn, VscodeServer, type Profile } from "./server.ts";
import { launchChromium, openWorkbench, type WindowContent } from "./window.ts";

const DEFAULT_TIMEOUT_S = 600;
const EXIT_TIMEOUT = 124;
const EXIT_SIGNAL = 130;
const SIZE = { width: 1280, height: 800 };
const wrapper = fileURLToPath(new URL("tests-wrapper.cjs", import.meta.url));

/** Of no use in a trace. */
const OWN_FRAMES = /\n\s+at [^\n]*(workbench\.js|extensionHostProcess\.js|node:internal)[^\n]*/g;
/** What the workbench itself logs at every start. */
const NOISE =
  /^(Resolv(ing|ed) connection token|Creating a socket|\[(reconnection-grace-time|AgentHost[^\]]*|AccountPolicyGate|Service Worker|DefaultAccount)\]|Ignoring fetching additional builtin|Updating additional builtin|Creation of workbench contribution|Timed out waiting for authentication|Error while fetching the extension under development|Canceled: Canceled$|No search provider registered)/;

interface Request {
  readonly tests: string;
  readonly profile: Partial<Profile>;
  readonly content: WindowContent;
}

interface Outcome {
  readonly code: number;
  readonly why?: string;
}

/** @returns the exit code: 0 passed, 1 failed or ended early, 124 took too long (`VSCODE_TIMEOUT_S`), 130 was stopped. */
export async function main(args: string[]): Promise<number> {
  const request = parse(args);
  if (typeof request === "string") {
    console.error(request);
    return 1;
  }
  const folder = await mkdtemp(join(tmpdir(), "burla-code-"));
  const run = new TestRun(folder, request);
  try {
    const { code, why } = await run.result();
    if (why !== undefined) console.error(`The tests' VS Code: ${why}`);
    if (code !== 0) await run.keepPicture();
    return code;
  } finally {
    await run.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Other arguments of the desktop's are of no meaning here. */
function parse(args: string[]): Request | string {
  const { values, positionals } = parseArgs({
    args,
    strict: false,
    allowPositionals: true,
    options: {
      extensionDevelopmentPath: { type: "string", multiple: true },
      extensionTestsPath: { type: "string" },
      "user-data-dir": { type: "string" },
      "extensions-dir": { type: "string" },
      "disable-extensions": { type: "boolean" },
    },
  });
  const { extensionTestsPath: tests, extensionDevelopmentPath: extensions = [] } = values;
  if (typeof tests !== "string") return "Only extension tests run here: --extensionTestsPath is missing.";
  // VS Code would run no test, and say nothing.
  if (extensions.length === 0) return "An extension under development has to be there: --extensionDevelopmentPath is missing.";
  // The extension host would only end, without a word.
  if (!existsSync(tests)) return `There is nothing at --extensionTestsPath ${tests}.`;
  const workspace = positionals.find((path) => path.endsWith(".code-workspace") || isFolder(path));
  const file = positionals.find((path) => path !== workspace);
  return {
    tests: resolve(tests),
    profile: {
      ...(typeof values["user-data-dir"] === "string" && { userDataFolder: resolve(values["user-data-dir"]) }),
      ...(typeof values["extensions-dir"] === "string" && { extensionsFolder: resolve(values["extensions-dir"]) }),
    },
    content: {
      extensions: extensions.filter((path) => typeof path === "string").map((path) => resolve(path)),
      tests: wrapper,
      disableOtherExtensions: values["disable-extensions"] === true,
      ...(workspace !== undefined && { workspace: resolve(workspace) }),
      ...(file !== undefined && { file: resolve(file) }),
    },
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** One server, one browser, one run of the tests. Whatever ends first decides the outcome. */
class TestRun {
  readonly #folder: string;
  readonly #request: Request;
  readonly #artefacts = process.env["BURLA_ARTEFACTS"];
  readonly #isVerbose = (process.env["BURLA_VERBOSE"] ?? "") !== "";
  readonly #outcome: Promise<Outcome>;
  #settle: (outcome: Outcome) => void = () => undefined;
  #browser: Promise<Browser> | undefined;
  #server: Promise<VscodeServer> | undefined;
  #page: Page | undefined;

  constructor(folder: string, request: Request) {
    this.#folder = folder;
    this.#request = request;
    this.#outcome = new Promise((settle) => {
      this.#settle = settle;
    });
  }

  get #resultFile(): string {
    return join(this.#folder, "result");
  }

  async result(): Promise<Outcome> {
    const timeoutS = Number(process.env["VSCODE_TIMEOUT_S"] ?? DEFAULT_TIMEOUT_S);
    const timer = setTimeout(() => this.#end(EXIT_TIMEOUT, `no result in ${timeoutS} s (VSCODE_TIMEOUT_S)`), timeoutS * 1000);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => this.#end(EXIT_SIGNAL, signal));
    this.#start().catch((error: Error) => this.#end(1, error.stack ?? String(error)));
    const outcome = await this.#outcome;
    clearTimeout(timer);
    if (outcome.code !== 0 || (await this.#saysPassed())) return outcome;
    return { code: 1, why: "the extension host ended before the tests did" };
  }

  async keepPicture(): Promise<void> {
    if (this.#artefacts === undefined) return;
    await mkdir(this.#artefacts, { recursive: true });
    await this.#page?.screenshot({ path: join(this.#artefacts, "extension-host-failure.png") }).catch(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#browser?.then((browser) => browser.close()), this.#server?.then((server) => server.stop())]);
  }

  async #start(): Promise<void> {
    this.#browser = launchChromium();
    this.#server = VscodeServer.start({
      profile: { ...profileIn(this.#folder), ...this.#request.profile },
      environment: { BURLA_TESTS_PATH: this.#request.tests, BURLA_TESTS_RESULT: this.#resultFile },
    });
    const [browser, server] = await Promise.all([this.#browser, this.#server]);
    void server.ended.then(() => this.#end(1, "the server ended"));
    browser.on("disconnected", () => this.#end(1, "Chromium ended"));
    this.#page = await browser.newPage({ viewport: SIZE });
    this.#page.on("crash", () => this.#end(1, "the page crashed"));
    // The workbench looks for these two names when it runs tests.
    await this.#page.exposeFunction("codeAutomationLog", (type: string, texts: unknown[]) => this.#print(type, texts));
    await this.#page.exposeFunction("codeAutomationExit", (code: number) => this.#end(code));
    await openWorkbench(this.#page, server, this.#request.content);
  }

  #end(code: number, why?: string): void {
    this.#settle(why === undefined ? { code } : { code, why });
  }

  #print(type: string, texts: unknown[]): void {
    if (!this.#isVerbose && NOISE.test(String(texts[0]))) return;
    const shown = this.#isVerbose ? texts : texts.map((text) => (typeof text === "string" ? text.replace(OWN_FRAMES, "") : text));
    if (type === "error" || type === "warn") console.error(...shown);
    else console.log(...shown);
  }

  async #saysPassed(): Promise<boolean> {
    return (await readFile(this.#resultFile, "utf8").catch(() => "")) === "passed";
  }
}
