/** Cells in the manner of public notebooks in TypeScript. What each field means stands beside `CorpusCell`. */
import type { CorpusCell } from "./python.ts";

const SCRAPING = `
const SITE: Record<string, string> = Object.fromEntries(Array.from({ length: 6 }, (_, i) => ["https://shop.test/" + i, "<title>Item " + i + "</title><b>" + i * 3 + " EUR</b>"]));
const urls = Object.keys(SITE);
async function fetchPage(url: string): Promise<string> { await new Promise((resolve) => setTimeout(resolve, 1)); const html = SITE[url]; if (html === undefined) throw new RangeError("no page " + url); return html; }
async function scrape(url: string) {
  const html = await fetchPage(url);
  return { url, title: /<title>(.*)<\\/title>/.exec(html)![1]!, price: Number(/<b>(\\d+)/.exec(html)![1]) };
}
`;

export const TYPESCRIPT_CORPUS: readonly CorpusCell[] = [
  // Scraping
  { name: "pages, and how many", setup: SCRAPING, cell: "const pages = await Promise.all(urls.map((url) => scrape(url)));\npages.length", look: "pages", mapped: [1] },
  { name: "pages, printed", setup: SCRAPING, cell: "const pages = await Promise.all(urls.map(scrape));\nconsole.log(pages[0].title, pages.length)", look: "pages", mapped: [1] },
  { name: "what is read of them runs here", setup: SCRAPING, cell: "const pages = await Promise.all(urls.map(scrape))\nconst titles = pages.map((page) => page.title.toLowerCase())\nconst total = pages.filter((page) => page.price > 3).reduce((sum, page) => sum + page.price, 0)\ntitles", look: "[titles, total]", mapped: [1] },
  { name: "two maps after each other", setup: SCRAPING, cell: "const htmls = await Promise.all(urls.map(fetchPage));\nconst sizes = await Promise.all(urls.map(async (url) => (await scrape(url)).price));\n[htmls[0], sizes.at(-1)]", look: "[htmls, sizes]", mapped: [1, 2] },
  { name: "an object of entries", setup: SCRAPING, cell: "const byUrl = Object.fromEntries(await Promise.all(urls.map(async (url) => [url, await fetchPage(url)] as const)));\nObject.keys(byUrl).length", look: "byUrl", mapped: [1] },
];
