import fs, { existsSync } from "fs";
import * as path from "path";
import { parse } from "csv-parse/sync";
import ts = require("typescript");
import { twice, Box } from "./helper.cts";
enum Level { Low = 1, High }
const base: number = 3;
class Local extends Box { get more() { return this.value + base; } }
check("imports", (x: string) => [typeof fs.readFileSync, typeof existsSync, path.join("a", x), parse(x), ts.SyntaxKind.Identifier], "a");
check("own module", (x: number) => [twice(x), new Box(x).value, new Local(x).more], 4);
check("an exported function", twice, 4);
check("enum", () => [Level.High, Level[1]], 0);
check("dynamic import", async (x: number) => (await import("./helper.cts")).twice(x), 4);
export function local(x: number): number { return x + base; }
check("exports of the program itself", (x: number) => local(x), 1);
check("place", () => [path.basename(__filename), path.basename(__dirname)], 0);
const inner = async (x: number) => { const go = () => x + base; return go.name; };
check("names of inner functions", inner, 1);
