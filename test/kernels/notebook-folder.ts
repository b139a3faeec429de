/** A notebook's folder with files and packages that its cells import. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const FILES: Readonly<Record<string, string>> = {
  "score.ts": `export interface Options { factor: number }
export enum Kind { Low = "low", High = "high" }
export const table = { low: 1, high: 10 };
export default function kindOf(x: number): Kind { return x > 2 ? Kind.High : Kind.Low }
export function score(x: number, options: Options = { factor: 2 }): number {
  if (x < 0) throw new RangeError("score of " + x);
  return x * options.factor + table[kindOf(x)];
}
export class Counter { #n = 0; add(x: number): number { return (this.#n += x) } }
`,
  "shout.mjs": "export const shout = (text) => text.toUpperCase() + '!';\n",
  "data.json": JSON.stringify({ weights: [3, 1, 2] }),
  "node_modules/esm-package/package.json": JSON.stringify({ name: "esm-package", version: "1.0.0", type: "module", exports: "./index.js" }),
  "node_modules/esm-package/index.js": "export const half = (x) => x / 2;\nexport default class Box { constructor(v) { this.v = v } get() { return this.v } }\n",
  "node_modules/cjs-package/package.json": JSON.stringify({ name: "cjs-package", version: "1.0.0", main: "index.js" }),
  "node_modules/cjs-package/index.js": "const names = { twice: (x) => x * 2 };\nmodule.exports = Object.assign((x) => x + 1, names);\n",
};

export class NotebookFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "burla-notebook-")));

  constructor() {
    for (const [file, text] of Object.entries(FILES)) this.write(file, text);
  }

  write(file: string, text: string): void {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
