/** Draws `media/icon.png` from `media/icon.svg`, with the Chromium of the browser tests. Run it when the SVG has changed. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const SIZE_PIXELS = 256;
const media = new URL("../media/", import.meta.url);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage({ viewport: { width: SIZE_PIXELS, height: SIZE_PIXELS } });
  await page.setContent(`<style>body{margin:0;background:transparent}</style>${await readFile(new URL("icon.svg", media), "utf8")}`);
  await page.screenshot({ path: fileURLToPath(new URL("icon.png", media)), omitBackground: true });
} finally {
  await browser.close();
}
