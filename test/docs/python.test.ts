/** `docs/python.md` is compared with the client. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/python.md");

test("the page names every option, and no other", () => {
  const source = read("kernel-bridge/python/burla/api.py");
  const signature = source.slice(source.indexOf("def remote_parallel_map("), source.indexOf(") -> RemoteResults:"));
  const options = [...signature.slice(signature.indexOf("*,")).matchAll(/^ {4}(\w+):/gm)].map(([, name]) => name);
  assert.ok(options.length > 10);
  const table = page.slice(page.indexOf("## Options"), page.indexOf("## Results"));
  assert.deepEqual([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name), options);
});

test("the page names every public method of the results", () => {
  const source = read("kernel-bridge/python/burla/stream.py");
  const methods = [...source.slice(source.indexOf("class RemoteResults")).matchAll(/^ {4}def ([a-z]\w*)\(self/gm)].map(([, name]) => name ?? "");
  for (const method of methods.filter((name) => name !== "begin")) assert.ok(page.includes(`results.${method}(`), method);
});

test("codes that the client has cures for are those of the catalogue", async () => {
  const { ERROR_CATALOGUE } = await import("@burla/protocol");
  const source = read("kernel-bridge/python/burla/errors.py");
  const codes = [...source.matchAll(/^ {4}"(BURLA_\w+)": /gm)].map(([, code]) => code ?? "");
  assert.ok(codes.length > 15);
  for (const code of codes) assert.ok(Object.hasOwn(ERROR_CATALOGUE, code), code);
});

test("the version of the protocol is the same in both languages", async () => {
  const { PROTOCOL_VERSION } = await import("@burla/protocol");
  assert.match(read("protocol/python/burla_protocol/__init__.py"), new RegExp(`^PROTOCOL_VERSION = ${PROTOCOL_VERSION}$`, "m"));
});
