/** Cells that are put together by chance from statements as people write them: some are maps, some carry state, some fail. */
import fc from "fast-check";

/** What all of them begin with. */
export const FUZZ_SETUP = `
let xs = [3, 1, 4, 1, 5, 9, 2, 6], k = 2, c = 0, last = -1, t0 = 0, t1 = "";
let rows = [{ k: "a", v: 1 }, { k: "b", v: 2 }, { k: "a", v: 3 }];
let o0: unknown[] = [], o1: unknown[] = [], m0: Record<string, unknown> = {}, g0: Record<string, unknown[]> = {}, seen = new Set<unknown>(), byKey = new Map<unknown, unknown>(), log: unknown[] = [];
let r0: unknown, r1: unknown, r2: unknown, r3: unknown, r4: unknown, r5: unknown;
function f(x: number) { let y = x * 10; for (let i = 0; i < 3; i++) y += i; return y }
const g = async (x: number) => { await null; return f(x) + 1 };
function bad(x: number) { if (x % limit === 0) throw new RangeError("no " + x); return x }
let limit = 4;
function note(x: number) { log.push(x); return f(x) }
function counted(x: number) { c++; return x + c }
function touch<Row extends { v: number }>(row: Row) { row.v = f(row.v); return row }
function fresh<Row extends { v: number }>(row: Row) { const copy = { ...row }; copy.v = f(copy.v); return copy }
const size = () => o0.length;
`;

export const FUZZ_LOOK = "JSON.stringify([xs, rows, k, c, last, t0, t1, o0, o1, m0, g0, [...seen], [...byKey], log, r0, r1, r2, r3, r4, r5])";

const pick = (...texts: readonly string[]) => fc.constantFrom(...texts);

/** Of a number `x`: mostly work that is the same everywhere. */
const element = fc.oneof(
  { weight: 6, arbitrary: pick("f(x)", "f(x) * k", "f(x) + x", "f(f(x)) % 7", "x + 1", "fresh({ v: x }).v", "[f(x)].map((y) => y + 1)[0]!", "Math.max(f(x), k)") },
  { weight: 1, arbitrary: pick("bad(x)", "note(x)", "counted(x)", "f(x) + c", "f(x) + size()", "(c += f(x))", "touch({ v: x }).v", "f(x) + last") },
);
const awaited = fc.oneof({ weight: 3, arbitrary: element }, { weight: 2, arbitrary: pick("await g(x)", "(await g(x)) * 2", "await g(f(x))") });

const inLoop = (depth: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: awaited.map((e) => `o0.push(${e});`) },
    { weight: 2, arbitrary: awaited.map((e) => `o1.push({ x, y: ${e} });`) },
    { weight: 2, arbitrary: element.map((e) => `t0 += ${e};`) },
    { weight: 1, arbitrary: element.map((e) => `t1 += String(${e});`) },
    { weight: 1, arbitrary: awaited.map((e) => `m0[x % 3] = ${e};`) },
    { weight: 1, arbitrary: element.map((e) => `(g0[x % 2] ??= []).push(${e});`) },
    { weight: 1, arbitrary: element.map((e) => `byKey.set(x, ${e});`) },
    { weight: 1, arbitrary: element.map((e) => `byKey.set(x % 2, ((byKey.get(x % 2) as number) ?? 0) + ${e});`) },
    { weight: 1, arbitrary: element.map((e) => `if (!byKey.has(x % 3)) byKey.set(x % 3, 100); byKey.set(x % 3, (byKey.get(x % 3) as number) + ${e});`) },
    { weight: 1, arbitrary: element.map((e) => `if (m0[x % 2] === undefined) { m0[x % 2] = x; } else { m0[x % 2] = (m0[x % 2] as number) - 1; } t0 += ${e};`) },
    { weight: 1, arbitrary: element.map((e) => `const z = ${e}; seen.add(z % 4);`) },
    { weight: 1, arbitrary: element.map((e) => `o0.push(...[x, ${e}]);`) },
    { weight: 1, arbitrary: pick("if (x > 4) continue;", "last = x;", "c++;", "if (o0.length > 3) break;", "if (seen.has(x)) continue;", "x % 2 && o1.push(f(x));", "o0.push(g(x));") },
    ...(depth > 0
      ? [
          { weight: 1, arbitrary: inLoop(0).filter((text) => !text.includes("continue") && !text.includes("break")).map((text) => `try { ${text} } catch (error) { o1.push(String(error)); }`) },
          { weight: 1, arbitrary: inLoop(0).map((text) => `if (x % 2 === 0) { ${text} } else { o1.push(x); }`) },
          { weight: 1, arbitrary: inLoop(0).map((text) => `for (let x = 0; x < 2; x++) { ${text} }`) },
        ]
      : []),
  );

const turn = fc.array(inLoop(1), { minLength: 1, maxLength: 3 }).map((parts) => parts.map((part) => `{ ${part} }`).join(" "));
const head = pick("for (const x of xs)", "for (let x = 0; x < 4; x++)", "for (const [x] of xs.entries())", "for (const { v: x } of rows)", "for (const k2 of [1, 2]) for (const x of [k2, 5])", "for await (const x of [1, 2, 3])");

const statement = (result: string, depth: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(head, turn).map(([h, body]) => `${h} {\n  ${body}\n}`) },
    { weight: 1, arbitrary: fc.tuple(turn.filter((text) => !/await|continue|break/.test(text))).map(([body]) => `xs.forEach((x, i) => { ${body} })`) },
    { weight: 2, arbitrary: element.map((e) => `${result} = xs.map((x) => ${e})`) },
    { weight: 2, arbitrary: awaited.map((e) => `${result} = await Promise.all(xs.map(async (x) => ${e}))`) },
    { weight: 1, arbitrary: awaited.map((e) => `${result} = (await Promise.allSettled(xs.map(async (x) => ${e}))).map((one) => one.status === "fulfilled" ? one.value : String(one.reason))`) },
    { weight: 1, arbitrary: element.map((e) => `const later${result} = xs.map(async (x) => ${e})\n${result} = await Promise.all(later${result})`) },
    { weight: 1, arbitrary: element.map((e) => `${result} = await Promise.all(xs.map(async (x) => ${e})).catch(String)`) },
    { weight: 1, arbitrary: element.map((e) => `${result} = xs.filter((x) => ${e} > 30).map(f)`) },
    { weight: 1, arbitrary: element.map((e) => `${result} = xs.flatMap((x) => [x, ${e}])`) },
    { weight: 1, arbitrary: element.map((e) => `${result} = Array.from({ length: 3 }, (_, x) => ${e}).reduce((a, b) => a + b, 0)`) },
    { weight: 1, arbitrary: element.map((e) => `${result} = Object.fromEntries(xs.map((x, i) => [i, ${e}]))`) },
    { weight: 1, arbitrary: pick(`${result} = rows.map(touch)`, `${result} = rows.map((row) => touch(row).v)`, `${result} = rows.map(fresh)`, `rows.forEach((row) => { row.v = f(row.v) })`, `${result} = rows.map(({ k, v }) => k + f(v))`) },
    { weight: 1, arbitrary: pick(`xs = xs.slice(0, 5)`, `k += 1`, `o0 = []`, `limit = 100`, `${result} = o0.length`, `xs.sort()`) },
    ...(depth > 0
      ? [
          { weight: 1, arbitrary: fc.tuple(statement(result, 0), pick("t0 > 50", "xs.length > 3", "o0.length === 0")).map(([text, test]) => `if (${test}) {\n  ${text}\n}`) },
          { weight: 1, arbitrary: statement(result, 0).map((text) => `try {\n  ${text}\n} catch (error) {\n  ${result} = String(error)\n}`) },
        ]
      : []),
  );

/** One cell. */
export const fuzzedCell: fc.Arbitrary<string> = fc
  .tuple(...["r0", "r1", "r2", "r3"].map((result) => statement(result, 1)), fc.integer({ min: 1, max: 4 }), pick("t0", "[r0, r1]", "o0.length", "xs.map((x) => f(x))"))
  .map((parts) => {
    const [last, count, ...statements] = parts.toReversed() as [string, number, ...string[]];
    return [...statements.slice(0, count), last].join("\n");
  });
