/**
 * The real workbench, driven as a user drives it: a VS Code with a fresh profile on a copy of `workspace/`, and the
 * extension in it. Every wait is for something that a user would see.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Frame, Locator, Page } from "playwright-core";
import { root } from "../../scripts/vscode/paths.ts";
import { profileIn, serverCommand, VscodeServer, type Profile } from "../../scripts/vscode/server.ts";
import { launchChromium, openWorkbench } from "../../scripts/vscode/window.ts";
import { TestCluster } from "../support/cluster.ts";
import { QuickInput } from "./quick-input.ts";
import { THEMES, type Theme } from "./themes.ts";

const TIMEOUT_MS = 30_000;
const SIZE = { width: 1280, height: 800 };
const artefacts = join(root, "test", "artefacts");
const workspaceSource = fileURLToPath(new URL("workspace", import.meta.url));

export interface WorkbenchOptions {
  /** `vsix`, the default: the package, installed. `folder`: the repository itself, as F5 runs it. */
  readonly extension?: "vsix" | "folder";
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly theme?: Theme;
  /** The folder that is copied and opened. */
  readonly workspace?: string;
  /** Opens the folder in restricted mode. */
  readonly asksForTrust?: boolean;
  /** What the extension finds in its environment, beside the state folder. */
  readonly environment?: Readonly<Record<string, string>>;
}

export class Workbench {
  readonly page: Page;
  /** The copy that is open. */
  readonly workspace: string;
  /** What this VS Code starts: its state folder is its own. Ended with the workbench. */
  readonly cluster: TestCluster;
  readonly quickInput: QuickInput;
  readonly #parts: Parts;

  private constructor(page: Page, parts: Parts) {
    this.page = page;
    this.#parts = parts;
    this.workspace = parts.workspace;
    this.cluster = parts.cluster;
    this.quickInput = new QuickInput(page);
  }

  static async open(options: WorkbenchOptions = {}): Promise<Workbench> {
    const parts = await startParts(options);
    try {
      const page = await parts.browser.newPage({ viewport: SIZE });
      page.setDefaultTimeout(TIMEOUT_MS);
      const workbench = new Workbench(page, parts);
      await openWorkbench(page, parts.server, { workspace: parts.workspace, extensions: options.extension === "folder" ? [root] : [] });
      await page.locator(".monaco-workbench .part.statusbar").waitFor();
      return workbench;
    } catch (error) {
      await stopParts(parts);
      throw error;
    }
  }

  /** Ends it, and every process that it started. @throws Error that names those that would not end. */
  close(): Promise<void> {
    return stopParts(this.#parts);
  }

  /** As a user does by reloading the window: the extension starts anew. */
  async reload(): Promise<void> {
    // What is not saved is kept, which the browser does not know.
    this.page.once("dialog", (dialog) => void dialog.accept());
    await this.page.reload({ waitUntil: "commit" });
    await this.page.locator(".monaco-workbench .part.statusbar").waitFor();
  }

  /** Runs a command from the palette, by its whole title: `Burla: Show Actions`. */
  async runCommand(title: string): Promise<void> {
    await this.quickInput.chooseInPalette(`>${title}`, title);
  }

  /** Opens a file of the workspace. */
  async openFile(name: string): Promise<void> {
    await this.quickInput.chooseInPalette(name, name);
    // Open in two groups when another group is the active one.
    await this.editor(name).first().waitFor();
  }

  /** The tab of an open editor. */
  tab(name: string | RegExp): Locator {
    return this.page.locator(".tabs-container .tab", { hasText: name });
  }

  /** The text of an open file. */
  editor(name: string): Locator {
    return this.page.locator(`.editor-instance .monaco-editor[data-uri$="/${name}"]`);
  }

  /** A lens above a function. */
  lens(text: string | RegExp): Locator {
    return this.page.locator(".codelens-decoration a", { hasText: text });
  }

  statusBarItem(text: string | RegExp): Locator {
    return this.page.locator(".part.statusbar .statusbar-item", { hasText: text });
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator(".notification-toast", { hasText: text });
  }

  /** A modal dialog. */
  dialog(text: string | RegExp): Locator {
    return this.page.locator(".monaco-dialog-box", { hasText: text });
  }

  /**
   * Shows a container of the activity bar by its title, unless it is shown. A click while a reloaded window restores its
   * side bar may hide it: then one more shows it.
   */
  async openSidebar(title: string): Promise<void> {
    const shown = this.page.locator(".part.sidebar .composite.title", { hasText: title });
    const action = this.page.locator(`.part.activitybar .action-item:has(a[aria-label^="${title}"])`);
    for (let clicks = 0; clicks < 4; clicks++) {
      if ((await action.getAttribute("aria-expanded")) !== "true") await action.locator("a").first().click();
      if (await shown.waitFor({ timeout: TIMEOUT_MS / 4 }).then(() => true, () => false)) return;
    }
    throw new Error(`the side bar does not show ${title}`);
  }

  /** A row of a tree in the side bar, by what it says. */
  treeRow(text: string | RegExp): Locator {
    return this.page.locator('.part.sidebar [role="treeitem"]', { hasText: text });
  }

  /** Opens or closes a row that has rows below it. */
  async toggleRow(text: string | RegExp): Promise<void> {
    await this.treeRow(text).first().locator(".monaco-tl-twistie").click();
  }

  /** The text of a view that has no rows. */
  welcome(text: string | RegExp): Locator {
    return this.page.locator(".part.sidebar .welcome-view", { hasText: text });
  }

  /** The lower panel: output, problems, terminal. */
  panel(text: string | RegExp): Locator {
    return this.page.locator(".part.panel", { hasText: text });
  }

  /** The document inside a webview: the one that shows the element. Webviews are frames within frames. */
  async webview(selector: string, timeoutMs = TIMEOUT_MS): Promise<Frame> {
    const endMs = Date.now() + timeoutMs;
    while (Date.now() < endMs) {
      for (const frame of this.page.frames()) {
        if (frame !== this.page.mainFrame() && (await shows(frame, selector))) return frame;
      }
      await nextFrameOf(this.page);
    }
    throw new Error(`no webview shows ${selector}`);
  }

  async setTheme(theme: Theme): Promise<void> {
    await this.changeSettings({ "workbench.colorTheme": THEMES[theme].name });
    await this.page.locator(`.monaco-workbench.${THEMES[theme].className}`).waitFor();
  }

  /** Changes settings of the folder: those of the user are not read again while the window is open. */
  async changeSettings(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const file = join(this.workspace, ".vscode", "settings.json");
    await mkdir(dirname(file), { recursive: true });
    const settings = JSON.parse(await readFile(file, "utf8").catch(() => "{}")) as object;
    await writeFile(file, JSON.stringify({ ...settings, ...changes }, null, 2));
  }

  /** Keeps a picture in `test/artefacts/`; of a tall window the upper part, when it shall not be as tall. */
  async screenshot(name: string, height = this.page.viewportSize()?.height ?? SIZE.height): Promise<void> {
    await mkdir(artefacts, { recursive: true });
    await this.page.screenshot({ path: join(artefacts, `${name}.png`), clip: { x: 0, y: 0, width: SIZE.width, height } });
  }
}

/**
 * One workbench for the tests of a file. A test that fails leaves a picture.
 * @param options or what makes them, once the file's tests begin.
 * @returns what registers a test.
 */
export function useWorkbench(options: WorkbenchOptions | (() => Promise<WorkbenchOptions>) = {}): (name: string, body: (workbench: Workbench) => Promise<void>) => void {
  let workbench: Workbench | undefined;
  before(async () => {
    workbench = await Workbench.open(typeof options === "function" ? await options() : options);
  });
  after(() => workbench?.close());
  return (name, body) => {
    test(name, async () => {
      if (workbench === undefined) throw new Error("there is no workbench");
      try {
        await body(workbench);
      } catch (error) {
        await workbench.screenshot(`failure-${name.replace(/\W+/g, "-")}`);
        throw error;
      }
    });
  };
}

interface Parts {
  readonly folder: string;
  readonly workspace: string;
  readonly profile: Profile;
  readonly cluster: TestCluster;
  readonly server: VscodeServer;
  readonly browser: Browser;
}

async function startParts({ extension = "vsix", settings = {}, theme = "light", workspace = workspaceSource, asksForTrust = false, environment = {} }: WorkbenchOptions): Promise<Parts> {
  const folder = await mkdtemp(join(tmpdir(), "burla-browser-"));
  const profile = profileIn(folder);
  const copy = join(folder, "workspace");
  const cluster = new TestCluster();
  await cp(workspace, copy, { recursive: true });
  if (extension === "vsix") await serverCommand(profile, ["--install-extension", await packagedExtension(), "--force"]);
  const [server, browser] = await Promise.all([
    VscodeServer.start({
      profile,
      asksForTrust,
      settings: { "workbench.colorTheme": THEMES[theme].name, ...settings },
      environment: { ...environment, BURLA_HOME: cluster.home },
    }),
    launchChromium(),
  ]);
  return { folder, workspace: copy, profile, cluster, server, browser };
}

async function stopParts({ browser, server, cluster, folder }: Parts): Promise<void> {
  try {
    await browser.close();
    await server.stop();
    await cluster.dispose();
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** The one that the suite has just built. */
export async function packagedExtension(): Promise<string> {
  const folder = join(root, ".cache", "vsix");
  const [file] = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".vsix"));
  if (file === undefined) throw new Error("There is no package of the extension: npm run package -- --out .cache/vsix");
  return join(folder, file);
}

/** The document of an editor that is not in front is there as well, in a frame that is hidden. */
async function shows(frame: Frame, selector: string): Promise<boolean> {
  let outermost = frame;
  for (let parent = frame.parentFrame(); parent?.parentFrame(); parent = parent.parentFrame()) outermost = parent;
  try {
    return (await (await outermost.frameElement()).isVisible()) && (await frame.locator(selector).first().isVisible());
  } catch {
    return false;
  }
}

function nextFrameOf(page: Page): Promise<unknown> {
  return page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))");
}
