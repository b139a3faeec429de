/** Cells in the manner of public notebooks in TypeScript. What each field means stands beside `CorpusCell`. */
import type { CorpusCell } from "./python.ts";

/** Pages of a server on this machine: `SHOP` is its address, which the test puts there. */
const SCRAPING = `
async function fetchPage(path: string): Promise<string> {
  const response = await fetch(shop + path);
  if (!response.ok) throw new RangeError("no page " + path);
  return response.text();
}
async function scrape(path: string) {
  const html = await fetchPage(path);
  return { path, title: /<title>(.*)<\\/title>/.exec(html)![1]!, price: Number(/<b>(\\d+)/.exec(html)![1]) };
}
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const paths = ["/0", "/1", "/2", "/3", "/4", "/5"];
`;
const TEXTS = `
import { createHash } from "node:crypto";
const texts = ["the cat sat", "a dog and the cat", "sun", "the sun and a dog"];
function tokens(text: string): string[] { return text.split(" ").filter((word) => word.length > 2) }
function score(text: string): number { let sum = 0; for (const word of tokens(text)) sum += word.length; return sum / 3 }
const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);
`;
const PRICES = `
const prices: Record<string, number[]> = { AAA: [1, 1.5, 1.2, 1.9], BBB: [2, 1, 3, 2.5], CCC: [5, 5.5, 5.1, 6] };
const names = Object.keys(prices);
function backtest(series: number[], window: number): number {
  let cash = 0;
  for (let i = window; i < series.length; i++) cash += series[i]! - series[i - window]!;
  return Math.round(cash * 1e4) / 1e4;
}
`;
const MODEL = `
interface Params { depth: number; rate: number }
class Model {
  w = 0;
  constructor(readonly params: Params) {}
  fit(xs: number[]) { this.w = xs.reduce((a, b) => a + b, 0) * this.params.rate * this.params.depth; return this }
  predict(x: number) { return this.w * x }
}
function evaluate(params: Params): number { return new Model(params).fit([1, 2, 3]).predict(2) }
const depths = [1, 2, 3], rates = [0.1, 0.5];
const grid = depths.flatMap((depth) => rates.map((rate) => ({ depth, rate })));
const trained = new Model({ depth: 2, rate: 0.5 }).fit([1, 2]);
`;
const RANDOM = `
function mulberry(seed: number) { return () => { seed = (seed + 0x6d2b79f5) | 0; let t = Math.imul(seed ^ (seed >>> 15), 1 | seed); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 4294967296 } }
function estimatePi(seed: number, n = 400): number { const random = mulberry(seed); let inside = 0; for (let i = 0; i < n; i++) if (random() ** 2 + random() ** 2 < 1) inside++; return (4 * inside) / n }
function walk(random: () => number): number { let at = 0; for (let i = 0; i < 20; i++) at += random() < 0.5 ? -1 : 1; return at }
`;
const IMAGES = `
interface Image { width: number; height: number; data: Uint8ClampedArray }
const images: Image[] = [2, 3, 4].map((size) => ({ width: size, height: size, data: Uint8ClampedArray.from({ length: size * size }, (_, i) => (i * 37 * size) % 256) }));
function blur({ width, height, data }: Image): Image {
  const out = new Uint8ClampedArray(data.length);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[y * width + x] = (data[y * width + x]! + data[y * width + Math.min(width - 1, x + 1)]!) / 2;
  return { width, height, data: out };
}
function invert(image: Image): Image { for (let i = 0; i < image.data.length; i++) image.data[i] = 255 - image.data[i]!; return image }
`;
const LINES = `
const lines = ['{"user":"ada","ms":12}', '{"user":"bob","ms":7}', 'oops', '{"user":"ada","ms":30}'];
interface Hit { user: string; ms: number }
function parse(line: string): Hit { return JSON.parse(line) as Hit }
const good = lines.filter((line) => line.startsWith("{"));
`;

export const TYPESCRIPT_CORPUS: readonly CorpusCell[] = [
  // Scraping
  { name: "pages, and how many", setup: SCRAPING, cell: "const pages = await Promise.all(paths.map((path) => scrape(path)));\npages.length", look: "pages", mapped: [1] },
  { name: "pages, printed", setup: SCRAPING, cell: "const pages = await Promise.all(paths.map(scrape));\nconsole.log(pages[0].title, pages.length)", look: "pages", mapped: [1] },
  { name: "what is read of them runs here", setup: SCRAPING, cell: "const pages = await Promise.all(paths.map(scrape))\nconst titles = pages.map((page) => page.title.toLowerCase())\nconst total = pages.filter((page) => page.price > 3).reduce((sum, page) => sum + page.price, 0)\ntitles", look: "[titles, total]", mapped: [1] },
  { name: "two maps after each other", setup: SCRAPING, cell: "const htmls = await Promise.all(paths.map(fetchPage));\nconst sizes = await Promise.all(paths.map(async (path) => (await scrape(path)).price));\n[htmls[0], sizes.at(-1)]", look: "[htmls, sizes]", mapped: [1, 2] },
  { name: "an object of entries", setup: SCRAPING, cell: "const byPath = Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await fetchPage(path)] as const)));\nObject.keys(byPath).length", look: "byPath", mapped: [1] },
  { name: "a set of what was found", setup: SCRAPING, cell: "const words = new Set((await Promise.all(paths.map(scrape))).map((page) => page.title.split(' ')[0]));\n[...words]", look: "words", mapped: [1] },
  { name: "a page that is not there", setup: SCRAPING, cell: "const before = 1;\nconst pages = await Promise.all(['/0', '/gone', '/1'].map(async (path) => {\n  const page = await scrape(path);\n  return page.title;\n}));\nconst after = 2;", look: "[before, typeof pages, typeof after]", mapped: [2] },
  { name: "pages that may fail", setup: SCRAPING, cell: "const settled = await Promise.allSettled([...paths, '/gone'].map(scrape));\nconst ok = settled.filter((one) => one.status === 'fulfilled').map((one) => (one as any).value.title);\nsettled.map((one) => one.status).join()", look: "[ok, settled.at(-1)!.status, (settled.at(-1) as any).reason.message, (settled.at(-1) as any).reason instanceof RangeError]", mapped: [1] },
  { name: "a loop that awaits, with a pause", setup: SCRAPING, cell: "const rows: { path: string; size: number }[] = [];\nfor (const path of paths) {\n  const html = await fetchPage(path);\n  rows.push({ path, size: html.length });\n  await sleep(1);\n}\nrows.length", look: "rows", mapped: [2] },
  { name: "a loop that skips", setup: SCRAPING, cell: "const rows = [];\nfor (const [i, path] of paths.entries()) {\n  const page = await scrape(path);\n  if (page.price < 6) continue;\n  rows.push([i, page.title]);\n}\nrows", look: "rows", mapped: [2] },
  { name: "a loop that forgives", setup: SCRAPING, cell: "const ok: unknown[] = [], failed: Record<string, string> = {};\nfor (const path of [...paths, '/gone']) {\n  try {\n    ok.push(await scrape(path));\n  } catch (error) {\n    failed[path] = String(error);\n  }\n}\n[ok.length, failed]", look: "[ok, failed]", mapped: [2] },
  { name: "a map by address", setup: SCRAPING, cell: "const cache = new Map<string, string>();\nfor (const path of paths) cache.set(path, await fetchPage(path));\n[...cache.values()].reduce((sum, html) => sum + html.length, 0)", look: "cache", mapped: [2] },
  { name: "promises in a list, awaited later", setup: SCRAPING, cell: "const tasks = [];\nfor (const path of paths) {\n  tasks.push(scrape(path));\n}\nconst pages = await Promise.all(tasks);\npages.length", look: "[pages, tasks.every((task) => task instanceof Promise)]", mapped: [2] },
  { name: "promises that settle later", setup: SCRAPING, cell: "const tasks = ['/0', '/gone'].map((path) => scrape(path));\nconst settled = await Promise.allSettled(tasks);\nsettled.map((one) => one.status)", look: "(settled[1] as any).reason.message", mapped: [1] },
  { name: "a page that may be missing", setup: SCRAPING, cell: "const pages = await Promise.all(['/0', '/gone'].map((path) => scrape(path).catch(() => null)));\npages.filter((page) => page !== null).length", look: "pages", mapped: [1] },
  { name: "a failure that is caught", setup: SCRAPING, cell: "let problem = '';\nconst pages = await Promise.all(['/0', '/gone'].map(scrape)).catch((error) => { problem = error.message; return [] });\npages.length", look: "[problem, pages]", mapped: [2] },
  { name: "what passes an async test", setup: SCRAPING, cell: "const keep = await Promise.all(paths.map(async (path) => (await scrape(path)).price > 6));\nconst dear = paths.filter((_, i) => keep[i]);\ndear", look: "dear", mapped: [1] },
  { name: "with p-map", setup: `import pMap from "p-map";${SCRAPING}`, cell: "const pages = await pMap(paths, scrape, { concurrency: 2 });\npages.map((page) => page.price)", look: "pages", mapped: [1] },
  { name: "p-map with the index", setup: SCRAPING, cell: "import pMap from 'p-map';\nconst titles = await pMap(paths, async (path, i) => `${i}: ${(await scrape(path)).title}`);\ntitles", look: "titles", mapped: [2] },
  { name: "a seen set carries state", setup: SCRAPING, cell: "const seen = new Set<string>();\nconst kept: string[] = [];\nfor (const path of paths) {\n  const title = (await scrape(path)).title.slice(0, 4);\n  if (seen.has(title)) continue;\n  seen.add(title);\n  kept.push(path);\n}\nkept", look: "[kept, seen]", mapped: [], why: /line 3.*`seen`/ },
  { name: "a loop that may end early", setup: SCRAPING, cell: "const found: string[] = [];\nfor (const path of paths) {\n  if ((await scrape(path)).price > 5) break;\n  found.push(path);\n}\nfound", look: "found", mapped: [], why: /line 2.*`break`/ },
  { name: "a page that leads to the next", setup: SCRAPING, cell: "let at = '/0';\nconst visited: string[] = [];\nfor (let i = 0; i < 3; i++) {\n  const page = await scrape(at);\n  visited.push(page.title);\n  at = '/' + (Number(at.slice(1)) + 2) % 6;\n}\nvisited", look: "[visited, at]", mapped: [], why: /line 3.*`at`/ },
  { name: "a loop until it is enough", setup: SCRAPING, cell: "let total = 0, i = 0;\nwhile (total < 10) total += (await scrape(paths[i++]!)).price;\ntotal", look: "[total, i]", mapped: [], why: /line 2/ },
  // Texts
  { name: "scores of texts", setup: TEXTS, cell: "const scores = texts.map(score);\nconst best = texts[scores.indexOf(Math.max(...scores))];\nbest", look: "[scores, best]", mapped: [1] },
  { name: "words of all texts", setup: TEXTS, cell: "const words = texts.flatMap((text) => tokens(text));\nwords.length", look: "words", mapped: [1] },
  { name: "texts that pass", setup: TEXTS, cell: "const long = texts.filter((text) => score(text) > 3);\nlong", look: "[long, texts]", mapped: [1] },
  { name: "hashes by name", setup: TEXTS, cell: "const hashes = new Map(texts.map((text) => [hash(text), text]));\nhashes.size", look: "hashes", mapped: [1] },
  { name: "hashes in an object", setup: TEXTS, cell: "const hashes: Record<string, string> = {};\nfor (const text of texts) hashes[text.slice(0, 3)] = hash(text);\nObject.keys(hashes).sort()", look: "hashes", mapped: [2] },
  { name: "counted words", setup: TEXTS, cell: "const counts: Record<string, number> = {};\nfor (const text of texts) {\n  for (const word of tokens(text)) counts[word] = (counts[word] ?? 0) + 1;\n}\ncounts", look: "counts", mapped: [2] },
  { name: "grouped by score", setup: TEXTS, cell: "const groups: Record<number, string[]> = {};\nfor (const text of texts) {\n  (groups[Math.round(score(text))] ??= []).push(text);\n}\ngroups", look: "groups", mapped: [2] },
  { name: "grouped in a map", setup: TEXTS, cell: "const groups = new Map<number, string[]>();\nfor (const text of texts) {\n  const key = Math.round(score(text));\n  if (!groups.has(key)) groups.set(key, []);\n  groups.get(key)!.push(text);\n}\ngroups", look: "groups", mapped: [2] },
  { name: "forEach that collects", setup: TEXTS, cell: "const rows: unknown[] = [];\ntexts.forEach((text, i) => {\n  const value = score(text);\n  if (value > 100) return;\n  rows.push({ i, value });\n});\nrows", look: "rows", mapped: [2] },
  { name: "a history that functions keep", setup: `${TEXTS}const history: string[] = [];\nfunction tracked(text: string) { history.push(text); return score(text) }`, cell: "const scores = texts.map(tracked);\nscores", look: "[scores, history]", mapped: [], why: /line 1.*`history`/ },
  { name: "a counter that functions keep", setup: `${TEXTS}let calls = 0;\nfunction counted(text: string) { calls++; return score(text) + calls }`, cell: "const scores = texts.map((text) => counted(text));\nscores", look: "[scores, calls]", mapped: [], why: /line 1.*`counted`.*`calls`/ },
  { name: "a text that goes on", setup: TEXTS, cell: "const all = texts.reduce((joined, text) => joined + hash(joined + text), '');\nall.length", look: "all", mapped: [], why: /line 1.*before/ },
  // Backtests
  { name: "a backtest for each stock", setup: PRICES, cell: "const pnl = Object.fromEntries(Object.entries(prices).map(([name, series]) => [name, backtest(series, 1)]));\nObject.entries(pnl).sort((a, b) => b[1] - a[1])[0]", look: "pnl", mapped: [1] },
  { name: "a backtest for each stock and window", setup: PRICES, cell: "const results: [string, number, number][] = [];\nfor (const name of names) {\n  for (const window of [1, 2]) {\n    results.push([name, window, backtest(prices[name]!, window)]);\n  }\n}\nresults[0]", look: "results", mapped: [2] },
  { name: "a sum of what is made", setup: PRICES, cell: "let total = 0;\nfor (const name in prices) total += backtest(prices[name]!, 2);\ntotal.toFixed(3)", look: "total", mapped: [2] },
  { name: "the best of all", setup: PRICES, cell: "const best: Record<string, number> = {}\nfor (const window of [1, 2, 3]) for (const name of names) best[name] = Math.max(best[name] ?? -Infinity, backtest(prices[name]!, window))\nbest", look: "best", mapped: [2] },
  { name: "a curve that goes on", setup: PRICES, cell: "const equity = [100];\nfor (const name of names) equity.push(equity.at(-1)! + backtest(prices[name]!, 1));\nequity", look: "equity", mapped: [], why: /line 2.*`equity`/ },
  { name: "a condition around a map", setup: PRICES, cell: "let pnl: number[] = [];\nif (names.length > 10) {\n  pnl = [0];\n} else {\n  pnl = names.map((name) => backtest(prices[name]!, 1));\n}\npnl", look: "pnl", mapped: [2] },
  { name: "in a try", setup: PRICES, cell: "let problem: unknown = null;\ntry {\n  names.concat('DDD').map((name) => backtest(prices[name]!, 1));\n} catch (error) {\n  problem = (error as Error).name;\n}\nproblem", look: "problem", mapped: [2] },
  // Models and grids
  { name: "a grid of parameters", setup: MODEL, cell: "const scores = grid.map(evaluate);\nconst best = grid[scores.indexOf(Math.max(...scores))];\nbest", look: "[scores, best]", mapped: [1] },
  { name: "a grid by two loops", setup: MODEL, cell: "const results = new Map<string, number>();\nfor (const depth of depths)\n  for (const rate of rates)\n    results.set(`${depth}/${rate}`, evaluate({ depth, rate }));\nMath.max(...results.values())", look: "results", mapped: [2] },
  { name: "predictions of a trained model", setup: MODEL, cell: "const predicted = [0, 1, 2, 3].map((x) => trained.predict(x));\npredicted.reduce((a, b) => a + b)", look: "predicted", mapped: [1] },
  { name: "cross validation", setup: MODEL, cell: "const folds = [0, 1, 2].map((k) => ({ train: [1, 2, 3].filter((_, i) => i !== k), test: k + 1 }));\nconst errors: number[] = [];\nfor (const { train, test } of folds) {\n  const model = new Model({ depth: 1, rate: 0.5 });\n  model.fit(train);\n  errors.push(Math.abs(model.predict(test) - test));\n}\nerrors", look: "errors", mapped: [3] },
  { name: "models that are trained in place", setup: `${MODEL}const models = [1, 2].map((depth) => new Model({ depth, rate: 1 }));`, cell: "const fitted = models.map((model) => model.fit([1, 2]));\nmodels.map((model) => model.w)", look: "models.map((model) => model.w)", mapped: [], why: /line 1.*changes its input `model`/ },
  { name: "an epoch after the other", setup: MODEL, cell: "const model = new Model({ depth: 1, rate: 0.1 });\nconst losses: number[] = [];\nfor (let epoch = 0; epoch < 3; epoch++) {\n  model.fit([model.w, epoch]);\n  losses.push(model.predict(2));\n}\nlosses", look: "[losses, model.w]", mapped: [], why: /line 3.*`model/ },
  // Simulations
  { name: "Monte Carlo by a counted loop", setup: RANDOM, cell: "const runs: number[] = [];\nfor (let seed = 0; seed < 8; seed++) {\n  runs.push(estimatePi(seed));\n}\nconsole.log(Math.min(...runs).toFixed(3))", look: "runs", mapped: [2] },
  { name: "Monte Carlo by Array.from", setup: RANDOM, cell: "const runs = Array.from({ length: 8 }, (_, seed) => estimatePi(seed, 200));\nruns.reduce((a, b) => a + b) / runs.length", look: "runs", mapped: [1] },
  { name: "one generator of numbers", setup: `${RANDOM}const random = mulberry(7);`, cell: "const ends = Array.from({ length: 4 }, () => walk(random));\nends", look: "ends", mapped: [], why: /line 1.*`random`/ },
  { name: "a generator of numbers of the cell", setup: RANDOM, cell: "const random = mulberry(7);\nconst ends = Array.from({ length: 4 }, () => walk(random));\nends", look: "ends", mapped: [], why: /line 2.*`random`/ },
  // Images
  { name: "images, each its own buffer", setup: IMAGES, cell: "const blurred = images.map(blur);\nblurred.map(({ data }) => data.reduce((a, b) => a + b))", look: "[blurred, images]", mapped: [1] },
  { name: "images that are changed in place", setup: IMAGES, cell: "const inverted = images.map((image) => invert(image));\ninverted[0]!.data[0]", look: "images", mapped: [], why: /line 1.*changes its input `image`/ },
  { name: "a step after the other on each image", setup: IMAGES, cell: "const done = images.map(blur).map(blur).map(({ data }) => data.length)\ndone", look: "done", mapped: [1] },
  { name: "rows of pixels by their place", setup: IMAGES, cell: "const sums = new Float64Array(images.length);\nfor (let i = 0; i < images.length; i++) sums[i] = blur(images[i]!).data.reduce((a, b) => a + b, 0);\nsums", look: "sums", mapped: [2] },
  // Parsing
  { name: "lines that parse", setup: LINES, cell: "const hits = good.map(parse);\nconst byUser = new Map<string, Hit[]>();\nfor (const hit of hits) byUser.set(hit.user, [...(byUser.get(hit.user) ?? []), hit]);\n[...byUser].map(([user, list]) => [user, list.length])", look: "hits", mapped: [1] },
  { name: "lines of which one does not parse", setup: LINES, cell: "const hits: Hit[] = [];\nfor (const line of lines) {\n  hits.push(parse(line));\n}", look: "hits", mapped: [2] },
  { name: "a turn that fails half way", setup: LINES, cell: "const seen: string[] = [], hits: Hit[] = [];\nfor (const line of lines) {\n  seen.push(line);\n  hits.push(parse(line));\n}", look: "[seen, hits]", mapped: [2] },
  { name: "lines and errors", setup: LINES, cell: "const hits: Hit[] = [], bad: string[] = [];\nlines.forEach((line) => {\n  try { hits.push(parse(line)) } catch { bad.push(line) }\n});\n[hits.length, bad]", look: "[hits, bad]", mapped: [2] },
  { name: "a generator that is awaited", setup: `${LINES}async function* read() { for (const line of good) yield line }`, cell: "const users: string[] = [];\nfor await (const line of read()) users.push(parse(line).user);\nusers", look: "users", mapped: [2] },
  // What is no work
  { name: "reading is all that there is", setup: "const people = [{ name: 'Ada', age: 36 }, { name: 'Bob', age: 25 }]", cell: "const shouted = people.map((person) => person.name.toUpperCase());\nshouted", look: "shouted", mapped: [1] },
  { name: "one long call", setup: "const load = (n: number) => Array.from({ length: n }, (_, i) => i)", cell: "const data = load(5);\ndata.length", look: "data", mapped: [], why: /One call/ },
];
