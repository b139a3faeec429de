import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { FileWatch } from "./file-watch.ts";

let directory: string;
let file: string;
let watch: FileWatch;
let wake: () => void = () => undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-watch-"));
  file = join(directory, "clusters", "local", "cluster.json");
});
afterEach(() => {
  watch.close();
  rmSync(directory, { recursive: true, force: true });
});

function begin(): void {
  watch = new FileWatch(file, () => wake());
}

function read(): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

/** Resolves when the file is seen to hold this, by a look after each call and no other. */
function seen(content: string | null): Promise<void> {
  return new Promise((resolve) => {
    wake = () => {
      if (read() === content) resolve();
    };
  });
}

function write(content: string): void {
  mkdirSync(join(directory, "clusters", "local"), { recursive: true });
  writeFileSync(`${file}.part`, content);
  renameSync(`${file}.part`, file);
}

test("a file that appears with its folders, changes, goes and comes again", async () => {
  begin();
  for (const content of ["one", "two"]) {
    const change = seen(content);
    write(content);
    await change;
  }
  const gone = seen(null);
  rmSync(file);
  await gone;
  const again = seen("three");
  write("three");
  await again;
});

test("folders that are removed, and made anew", async () => {
  write("one");
  begin();
  const gone = seen(null);
  rmSync(join(directory, "clusters"), { recursive: true });
  await gone;
  const again = seen("two");
  write("two");
  await again;
  const replaced = seen("three");
  rmSync(join(directory, "clusters"), { recursive: true });
  write("three");
  await replaced;
});

test("other files of the folder are none of its business, and nothing is told when it is closed", async () => {
  write("one");
  begin();
  let calls = 0;
  wake = () => calls++;
  writeFileSync(join(directory, "clusters", "local", "main.log"), "line\n");
  writeFileSync(join(directory, "other"), "");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(calls, 0);
  const change = seen("two");
  write("two");
  await change;
  wake = () => calls++;
  watch.close();
  write("three");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(calls, 0);
});
