/** The window of a VS Code server: a page of Chromium that shows the workbench. */
import { readFile } from "node:fs/promises";
import { chromium, type Browser, type Page } from "playwright-core";
import { chromiumExecutable } from "./chromium.ts";
import type { VscodeServer } from "./server.ts";

const pageScript = new URL("page-script.js", import.meta.url);
const CHROMIUM_FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-proxy-server",
];

export interface WindowContent {
  /** A folder, or a `.code-workspace` file. Without it the window is empty. */
  readonly workspace?: string;
  readonly file?: string;
  /** Folders of extensions that are not installed. */
  readonly extensions?: readonly string[];
  /** A module whose `run` the extension host shall call. */
  readonly tests?: string;
  readonly disableOtherExtensions?: boolean;
}

/** A browser with an empty profile. It does not end by the signals that this process gets: close it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumExecutable(), headless: true, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false, args: CHROMIUM_FLAGS });
}

/**
 * Opens the workbench in the page. The page's address may not name extensions under development (the workbench ignores
 * them there), so they are put into the configuration that the page itself carries.
 */
export async function openWorkbench(page: Page, server: VscodeServer, content: WindowContent): Promise<void> {
  const script = await readFile(pageScript, "utf8");
  await page.addInitScript({ content: `(${script})(${JSON.stringify(developmentOptions(server, content))})` });
  await page.goto(addressOf(server, content), { waitUntil: "commit" });
  const parsed = await page.waitForFunction("document.readyState !== 'loading' && { isConfigured: 'burlaConfigured' in window }");
  const { isConfigured } = (await parsed.jsonValue()) as { isConfigured: boolean };
  if (!isConfigured) throw new Error("the workbench's page carries no configuration: another version of VS Code?");
}

function addressOf(server: VscodeServer, { workspace, file, disableOtherExtensions = false }: WindowContent): string {
  const url = new URL(`http://${server.host}/`);
  if (workspace === undefined) url.searchParams.set("ew", "true");
  else url.searchParams.set(workspace.endsWith(".code-workspace") ? "workspace" : "folder", workspace);
  const payload = [["skipWelcome", "true"], ["skipReleaseNotes", "true"]];
  if (disableOtherExtensions) payload.push(["disableExtensions", "true"]);
  if (file !== undefined) payload.push(["openFile", `vscode-remote://${server.host}${encodeURI(file)}`]);
  url.searchParams.set("payload", JSON.stringify(payload));
  return url.href;
}

interface DevelopmentOptions {
  readonly extensions?: readonly object[];
  readonly extensionTestsPath?: object;
}

function developmentOptions(server: VscodeServer, { extensions = [], tests }: WindowContent): DevelopmentOptions {
  const uri = (path: string) => ({ $mid: 1, scheme: "vscode-remote", authority: server.host, path });
  return {
    ...(extensions.length > 0 && { extensions: extensions.map(uri) }),
    ...(tests !== undefined && { extensionTestsPath: uri(tests) }),
  };
}
