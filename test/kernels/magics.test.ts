/** Magics, shell commands and help in a cell that is run on the cluster. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf, streamOf, valueOf } from "../contract/live-kernel.ts";
import { errorText, lastView, shownTexts, useArmedKernel, viewsOf } from "./armed-kernel.ts";

const { here, armed } = useArmedKernel();

/** `there(x)` is whether it runs on a worker. */
const SETUP = "%reset -f\nimport os\nhome = os.getpid()\ndef there(x): return os.getpid() != home\ndef odd(x):\n    if x == 3: raise ValueError(x)\n    return x";

for (const [name, cell, value] of [
  ["%%time, with its value", "%%time\na = 1\nr = [there(x) for x in range(2)]\nr", "[True, True]"],
  ["%%time of one call", "%%time\nthere(1)", "True"],
  ["%%time below empty lines", "\n\n%%time\n\n[there(x) for x in range(2)]", "[True, True]"],
  ["%time of a statement", "%time r = [there(x) for x in range(2)]", undefined],
  ["%time of an expression", "%time there(1)", "True"],
  ["%time among others", "a = 1\n%time r = [there(x) for x in range(2)]\ns = [there(x) for x in range(2)]\nr + s", "[True, True, True, True]"],
] as const) {
  test(`measured on the cluster: ${name}`, async () => {
    await here(SETUP);
    const events = await armed(cell);
    assert.equal(outcomeOf(events), "ok");
    assert.match(streamOf(events), /^CPU times: .*\nWall time: .*\n$/);
    assert.equal(valueOf(events), value);
    assert.equal(lastView(events).phase, "done");
  });
}

test("the body of %%capture is a cell: its maps run on the cluster, its outputs are caught, its card is not", async () => {
  await here(SETUP);
  const events = await armed("%%capture caught\nprint('within')\nr = [there(x) for x in range(2)]\nr");
  assert.equal(streamOf(events), "");
  assert.deepEqual(lastView(events).steps.map(({ line, where }) => [line, where]), [[2, "here"], [3, "map"], [4, "here"]]);
  assert.equal(valueOf(await here("caught.stdout, len(caught.outputs), r")), "('within\\n', 1, [True, True])");
});

test("inputs that failed below %%time and %%capture have the lines of the cell, and run again", async () => {
  for (const [magic, line] of [["%%time", "      1 %%time"], ["%%capture", "      1 # %%capture"]] as const) {
    await here(SETUP);
    const cell = `${magic}\na = 1\nr = [odd(x) for x in range(5)]`;
    const events = await armed(cell);
    assert.match(errorText(events), /line 3\n[^]*----> 3 r = \[odd\(x\) for x in range\(5\)\]/);
    assert.ok(errorText(events).includes(line), errorText(events));
    assert.deepEqual(lastView(events).failures.map(({ index, line: at, source }) => [index, at, source]), [[3, 3, "r = [odd(x) for x in range(5)]"]]);
    await here("def odd(x): return -x");
    assert.equal(outcomeOf(await armed(cell, { onlyInputs: [3] })), "ok");
    assert.equal(valueOf(await here("r")), "[0, 1, 2, -3, 4]");
  }
});

for (const [name, cell, said, note] of [
  ["%timeit", "%timeit -n1 -r1 there(1)", /per loop/, /%timeit runs in this kernel only/],
  ["%%timeit", "%%timeit -n1 -r1\nthere(1)", /per loop/, /%%timeit runs in this kernel only/],
  ["%%bash", "%%bash\necho from the shell", /from the shell/, /%%bash runs in this kernel only/],
  ["a magic in the middle of what is no map", "x = 1\n%cd -q .\nprint(there(x))", /False/, /line 2: magics and shell commands run in this kernel only/],
  ["a shell command in a block", "for i in range(2):\n    !echo turn", /turn\s+turn/, /line 2: magics and shell commands/],
  ["%time of what is no map, among others", "a = 1\n%time b = there(a)\nprint(b)", /Wall time[^]*False/, /line 2: %time measures/],
] as const) {
  test(`runs here, and says so: ${name}`, async () => {
    await here(SETUP);
    const events = await armed(cell);
    assert.equal(outcomeOf(events), "ok", errorText(events));
    assert.match(streamOf(events), said);
    assert.equal(shownTexts(events).length, 1);
    assert.match(shownTexts(events)[0] ?? "", note);
    assert.deepEqual(viewsOf(events), []);
  });
}

test("shell commands and line magics stand beside maps", async () => {
  await here(SETUP);
  const events = await armed("lines = !echo one\n%cd -q .\nr = [there(x) for x in range(2)]\nlines, r");
  assert.equal(valueOf(events), "(['one'], [True, True])");
  assert.deepEqual(lastView(events).steps.map(({ text, where }) => [text, where]).slice(0, 3), [["lines = !echo one", "here"], ["%cd -q .", "here"], ["r = [there(x) for x in range(2)]", "map"]]);
});

test("help is shown: name?, name??, ?name", async () => {
  await here(`${SETUP}\ndef helped(x):\n    "Says how."\n    return x`);
  for (const [cell, expected] of [["helped?", /Says how\./], ["helped??", /return x/], ["?helped", /Says how\./]] as const) {
    const events = await armed(cell);
    assert.equal(outcomeOf(events), "ok");
    assert.match(shownTexts(events).join("\n"), expected);
  }
});

test("a magic that is none is said once", async () => {
  const events = await armed("%%nothing\n1");
  assert.match(streamOf(events, "stderr"), /%%nothing` not found/);
  assert.deepEqual(shownTexts(events), []);
});
