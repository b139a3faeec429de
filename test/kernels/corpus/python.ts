/**
 * Cells in the manner of public notebooks. Each runs here and then on a cluster, and must leave the same: value, error, what
 * names mean. `mapped` are the lines whose statements run on the cluster; none of them: the cell is one call, and `why` is
 * what it says of it.
 */
export interface CorpusCell {
  readonly name: string;
  readonly setup?: string;
  readonly cell: string;
  readonly look: string;
  readonly mapped: readonly number[];
  readonly why?: RegExp;
}

const SCRAPING = `
import time, re, collections
SITE = {f"https://shop.test/{i}": f"<title>Item {i}</title><b>{i * 3} EUR</b>" for i in range(6)}
urls = list(SITE)
def fetch(url):
    time.sleep(0.001)
    return SITE[url]
def scrape(url):
    html = fetch(url)
    return {"url": url, "title": re.search("<title>(.*)</title>", html).group(1), "price": int(re.search("<b>(\\\\d+)", html).group(1))}
`;
const FRAME = `
import pandas as pd, numpy as np
df = pd.DataFrame({"city": ["Bern", "Graz", "Bern", "Linz", "Graz"], "text": ["a b", "c", "d e f", "g h", "i"], "x": [1.0, 2.0, 3.0, 4.0, 5.0]})
def words(text):
    return len(text.split())
def score(row):
    return row["x"] * 2 + words(row["text"])
def summary_of(city, group):
    return {"city": city, "n": len(group), "mean": group["x"].mean()}
def summary(group):
    return pd.Series({"n": len(group), "mean": group["x"].mean(), "name": group.name})
`;
const MODEL = `
import itertools, math
class Model:
    def __init__(self, depth=1, rate=0.1):
        self.depth, self.rate, self.w = depth, rate, 0.0
    def fit(self, xs):
        self.w = sum(xs) * self.rate * self.depth
        return self
    def predict(self, x):
        return self.w * x
def evaluate(params):
    model = Model(**params).fit([1, 2, 3])
    return sum(model.predict(x) for x in range(4))
grid = {"depth": [1, 2, 3], "rate": [0.1, 0.5]}
trained = Model(2).fit([1, 2])
`;
const PRICES = `
prices = {"AAA": [1.0, 1.5, 1.2, 1.9], "BBB": [2.0, 1.0, 3.0, 2.5], "CCC": [5.0, 5.5, 5.1, 6.0]}
def backtest(series, window):
    cash = 0.0
    for before, now in zip(series, series[window:]):
        cash += now - before
    return round(cash, 4)
`;

export const PYTHON_CORPUS: readonly CorpusCell[] = [
  // Scraping
  { name: "pages, and how many", setup: SCRAPING, cell: "pages = [scrape(u) for u in urls]\nlen(pages)", look: "pages", mapped: [1] },
  { name: "pages, and the first ones", setup: SCRAPING, cell: "pages = [scrape(u) for u in urls]\npages[:3]", look: "pages", mapped: [1] },
  { name: "pages as a frame", setup: SCRAPING, cell: "import pandas as pd\npages = [scrape(u) for u in urls]\npd.DataFrame(pages)", look: "len(pages)", mapped: [2] },
  { name: "pages, printed", setup: SCRAPING, cell: "pages = [scrape(u) for u in urls]\nprint(pages[0]['title'], len(pages))", look: "pages", mapped: [1] },
  { name: "what is read of them runs here", setup: SCRAPING, cell: "pages = [scrape(u) for u in urls]\ntitles = [p['title'].lower() for p in pages]\nprices = {p['url']: p['price'] for p in pages if p['price'] > 3}\ntitles", look: "titles, prices", mapped: [1] },
  { name: "a loop that collects, with a pause", setup: SCRAPING, cell: "rows = []\nfor url in urls:\n    html = fetch(url)\n    rows.append({'url': url, 'size': len(html)})\n    time.sleep(0.001)\nlen(rows)", look: "rows, url, html", mapped: [2] },
  { name: "a loop that skips", setup: SCRAPING, cell: "rows = []\nfor i, url in enumerate(urls):\n    page = scrape(url)\n    if page['price'] < 6:\n        continue\n    rows.append((i, page['title']))\nrows", look: "rows, i, page", mapped: [2] },
  { name: "a loop that forgives", setup: SCRAPING, cell: "ok, failed = [], {}\nfor url in urls + ['https://gone.test']:\n    try:\n        ok.append(scrape(url))\n    except KeyError as error:\n        failed[url] = repr(error)\nlen(ok), failed", look: "ok, failed, url", mapped: [2] },
  { name: "a dict by address", setup: SCRAPING, cell: "html = {}\nfor url in urls:\n    html[url] = fetch(url)\nsum(map(len, html.values()))", look: "html", mapped: [2] },
  { name: "two maps after each other", setup: SCRAPING, cell: "htmls = [fetch(u) for u in urls]\nsizes = list(map(scrape, urls))\nhtmls[0], sizes[-1]", look: "htmls, sizes", mapped: [1, 2] },
  { name: "zipped with its inputs", setup: SCRAPING, cell: "by_url = dict(zip(urls, map(fetch, urls)))\nsorted(by_url)[0]", look: "by_url", mapped: [1] },
  { name: "a head of a loop", setup: SCRAPING, cell: "total = 0\nfor page in map(scrape, urls):\n    total += page['price'] * (1 if total < 10 else 2)\ntotal", look: "total", mapped: [2] },
  { name: "counted by word", setup: SCRAPING, cell: "counts = collections.Counter(scrape(u)['title'].split()[0] for u in urls)\ncounts.most_common(1)", look: "counts", mapped: [1] },
  { name: "grouped in lists", setup: SCRAPING, cell: "by_digit = collections.defaultdict(list)\nfor u in urls:\n    page = scrape(u)\n    by_digit[page['price'] % 2].append(page['title'])\ndict(by_digit)", look: "dict(by_digit)", mapped: [2] },
  { name: "a seen set carries state", setup: SCRAPING, cell: "seen = set()\nkept = []\nfor u in urls:\n    title = scrape(u)['title'][:4]\n    if title not in seen:\n        seen.add(title)\n        kept.append(u)\nkept", look: "seen, kept", mapped: [], why: /line 3.*`seen`/ },
  { name: "a loop that may end early", setup: SCRAPING, cell: "found = []\nfor u in urls:\n    if scrape(u)['price'] > 5:\n        break\n    found.append(u)\nfound", look: "found", mapped: [], why: /line 2.*`break`/ },
  { name: "a page that leads to the next", setup: SCRAPING, cell: "at = urls[0]\nvisited = []\nfor _ in range(3):\n    page = scrape(at)\n    visited.append(page['title'])\n    at = urls[(urls.index(at) + 1) % len(urls)]\nvisited", look: "visited, at", mapped: [], why: /line 3.*`at` goes from turn to turn/ },
  { name: "a loop until it is enough", setup: SCRAPING, cell: "total, i = 0, 0\nwhile total < 10:\n    total += scrape(urls[i])['price']\n    i += 1\ntotal", look: "total, i", mapped: [], why: /line 2/ },
  // Frames
  { name: "a column by apply", setup: FRAME, cell: "df['words'] = df['text'].apply(words)\ndf.head(2)", look: "df.to_dict()", mapped: [1] },
  { name: "a column by map", setup: FRAME, cell: "df['words'] = df.text.map(words)\ndf['words'].sum()", look: "df.words.tolist(), str(df.words.dtype)", mapped: [1] },
  { name: "rows by apply", setup: FRAME, cell: "df['score'] = df.apply(score, axis=1)\ndf.score.mean()", look: "df.to_dict()", mapped: [1] },
  { name: "rows by a lambda that calls", setup: FRAME, cell: "df['score'] = df.apply(lambda row: words(row['text']) + row.x, axis=1)\ndf", look: "df.to_dict()", mapped: [1] },
  { name: "a lambda that only reads runs here", setup: FRAME, cell: "df['score'] = df.apply(score, axis=1)\ndf['half'] = df.score.apply(lambda s: s / 2)\ndf.half.max()", look: "df.to_dict()", mapped: [1] },
  { name: "rows to columns", setup: FRAME, cell: "parts = df.text.apply(lambda t: pd.Series({'first': t[0], 'n': words(t)}))\nparts", look: "parts.to_dict(), list(parts.columns)", mapped: [1] },
  { name: "groups", setup: FRAME, cell: "stats = df.groupby('city').apply(summary)\nstats", look: "stats.to_dict(), stats.index.name", mapped: [1] },
  { name: "a column of a group", setup: FRAME, cell: "longest = df.groupby('city')['text'].apply(lambda texts: max(texts, key=words))\nlongest", look: "longest.to_dict()", mapped: [1] },
  { name: "a loop over groups", setup: FRAME, cell: "parts = []\nfor city, group in df.groupby('city'):\n    part = summary_of(city, group)\n    parts.append(part)\nresult = pd.DataFrame(parts)\nresult", look: "result.to_dict(), city", mapped: [2] },
  { name: "a loop over rows", setup: FRAME, cell: "for i, row in df.iterrows():\n    df.loc[i, 'score'] = score(row)\ndf.score.tolist()", look: "df.to_dict(), i", mapped: [1] },
  { name: "a frame of a comprehension in a call", setup: FRAME, cell: "out = pd.DataFrame(({'t': t, 'n': words(t)} for t in df.text), index=df.index).set_index('t')\nout.n.max()", look: "out.to_dict()", mapped: [1] },
  { name: "arrays", setup: FRAME, cell: "m = np.array([[words(t), len(t)] for t in df.text])\nm.mean(axis=0)", look: "m.tolist()", mapped: [1] },
  // Grid search and models
  { name: "a grid of parameters", setup: MODEL, cell: "combos = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]\nscores = [evaluate(c) for c in combos]\nbest = max(zip(scores, map(str, combos)))\nbest", look: "scores, best", mapped: [2] },
  { name: "nested loops over a grid", setup: MODEL, cell: "results = {}\nfor depth in grid['depth']:\n    for rate in grid['rate']:\n        results[depth, rate] = evaluate({'depth': depth, 'rate': rate})\nmin(results, key=results.get)", look: "results, depth, rate", mapped: [2] },
  { name: "predictions of a trained model", setup: MODEL, cell: "predicted = [trained.predict(x) for x in range(5)]\nround(sum(predicted), 3)", look: "predicted", mapped: [1] },
  { name: "models that are trained in place", setup: MODEL, cell: "models = [Model(d) for d in (1, 2)]\nfitted = [m.fit([1, 2]) for m in models]\n[m.w for m in models]", look: "[m.w for m in models], fitted[0] is models[0]", mapped: [], why: /line 2.*changes its input `m`/ },
  { name: "an epoch after the other", setup: MODEL, cell: "model = Model()\nlosses = []\nfor epoch in range(3):\n    model.fit([model.w, epoch])\n    losses.append(model.predict(2))\nlosses", look: "losses, model.w", mapped: [], why: /line 3/ },
  { name: "cross validation by hand", setup: MODEL, cell: "folds = [([1, 2], 3), ([2, 3], 1), ([1, 3], 2)]\nscores = []\nfor train, test in folds:\n    model = Model(2)\n    model.fit(train)\n    scores.append(model.predict(test))\nsum(scores) / len(scores)", look: "scores, train, test, model.w", mapped: [3] },
  { name: "a condition around a map", setup: MODEL, cell: "quick = False\nif quick:\n    scores = [evaluate({'depth': 1})]\nelse:\n    scores = [evaluate({'depth': d}) for d in grid['depth']]\nscores", look: "scores", mapped: [2] },
  { name: "a generation after the other", setup: MODEL, cell: "population = [1, 2, 3]\nfor generation in range(2):\n    fitness = [evaluate({'depth': p}) for p in population]\n    population = [p + 1 for p, f in zip(population, fitness) if f > 0]\npopulation", look: "population, fitness", mapped: [2] },
  { name: "a history that functions keep", setup: MODEL + "history = []\ndef tracked(x):\n    history.append(x)\n    return math.sqrt(x)", cell: "r = [tracked(x) for x in (4, 9)]\nr", look: "r, history", mapped: [], why: /line 1.*`tracked`.*`history`/ },
  { name: "a counter that functions keep", setup: MODEL + "calls = 0\ndef counted(x):\n    global calls\n    calls += 1\n    return x + calls", cell: "r = [counted(x) for x in (4, 9)]\nr", look: "r, calls", mapped: [], why: /line 1.*global `calls`/ },
  { name: "rows that a function changes", setup: "rows = [{'a': 1}, {'a': 2}]\ndef clean(row):\n    row['b'] = row['a'] * 2\n    return row", cell: "cleaned = [clean(r) for r in rows]\ncleaned", look: "rows, cleaned, cleaned[0] is rows[0]", mapped: [], why: /line 1.*`r`/ },
  { name: "copies that a function changes", setup: "rows = [{'a': 1}, {'a': 2}]\ndef clean(row):\n    row = dict(row)\n    row['b'] = row['a'] * 2\n    return row", cell: "cleaned = [clean(r) for r in rows]\ncleaned", look: "rows, cleaned", mapped: [1] },
  // Simulations and backtests
  { name: "simulations with seeds", setup: "import random\ndef simulate(seed):\n    rng = random.Random(seed)\n    return sum(rng.random() for _ in range(100))", cell: "runs = [simulate(s) for s in range(8)]\nprint(f'{min(runs):.3f} {max(runs):.3f}')", look: "runs", mapped: [1] },
  { name: "one generator of numbers", setup: "import random\nrng = random.Random(1)\ndef draw(n):\n    return [rng.random() for _ in range(n)]", cell: "draws = [draw(2) for _ in range(3)]\ndraws", look: "draws, rng.random()", mapped: [], why: /line 1.*`rng`/ },
  { name: "numbers after a seed", setup: "import random\ndef draw(n):\n    return round(random.gauss(0, 1), 6)", cell: "random.seed(3)\ndraws = [draw(i) for i in range(3)]\ndraws", look: "draws", mapped: [], why: /line 2.*seed of line 1/ },
  { name: "a backtest for each stock", setup: PRICES, cell: "pnl = {name: backtest(series, 1) for name, series in prices.items()}\nmax(pnl, key=pnl.get)", look: "pnl", mapped: [1] },
  { name: "a backtest for each stock and window", setup: PRICES, cell: "results = [(n, w, backtest(prices[n], w)) for n in prices for w in (1, 2) if len(prices[n]) > w]\nresults[0]", look: "results", mapped: [1] },
  { name: "a sum of what is made", setup: PRICES, cell: "total = 0\nfor name in prices:\n    total += backtest(prices[name], 2)\nround(total, 3)", look: "total, name", mapped: [2] },
  { name: "a curve that goes on", setup: PRICES, cell: "equity = [100.0]\nfor name in prices:\n    equity.append(equity[-1] + backtest(prices[name], 1))\nequity", look: "equity", mapped: [], why: /line 2.*`equity`/ },
  { name: "in a with", setup: PRICES, cell: "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    pnl = [backtest(s, 1) for s in prices.values()]\npnl", look: "pnl", mapped: [2] },
  // Other libraries
  { name: "an executor's map", setup: PRICES, cell: "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(max_workers=4) as executor:\n    pnl = list(executor.map(lambda s: backtest(s, 1), prices.values()))\npnl", look: "pnl", mapped: [2] },
  { name: "an executor's futures", setup: PRICES, cell: "import concurrent.futures\nresults = {}\nwith concurrent.futures.ProcessPoolExecutor() as ex:\n    futures = {ex.submit(backtest, s, 1): n for n, s in prices.items()}\n    for future in concurrent.futures.as_completed(futures):\n        results[futures[future]] = future.result()\nsorted(results.items())", look: "sorted(results.items())", mapped: [3] },
  { name: "a pool", setup: PRICES, cell: "from multiprocessing import Pool\nwith Pool(2) as pool:\n    pnl = pool.starmap(backtest, [(s, 1) for s in prices.values()])\npnl", look: "pnl", mapped: [2] },
  { name: "gathered", setup: "import asyncio\nasync def get(x):\n    await asyncio.sleep(0.001)\n    return x * 2", cell: "answers = await asyncio.gather(*(get(x) for x in range(4)))\nsum(answers)", look: "answers", mapped: [1] },
  // What is no work
  { name: "reading is all that there is", setup: "people = [{'name': 'Ada', 'age': 36}, {'name': 'Bob', 'age': 25}]", cell: "names = [p['name'].upper() for p in people]\nnames", look: "names", mapped: [1] },
  { name: "one long call", setup: "import time\ndef load(n):\n    time.sleep(0.001)\n    return list(range(n))", cell: "data = load(5)\nlen(data)", look: "data", mapped: [], why: /One call/ },
];
