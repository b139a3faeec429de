import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dataFolders, findSpecs, interpreterKernel, specOf } from "./specs.ts";

const root = mkdtempSync(join(tmpdir(), "burla-specs-"));
after(() => rmSync(root, { recursive: true, force: true }));

function spec(folder: string, name: string, content: string): void {
  mkdirSync(join(root, folder, "kernels", name), { recursive: true });
  writeFileSync(join(root, folder, "kernels", name, "kernel.json"), content);
}

test("the first folder that has a name wins, and what is broken is passed over", async () => {
  spec("own", "a", JSON.stringify({ argv: ["mine", "{resource_dir}/x"], display_name: "A", language: "python" }));
  spec("system", "a", JSON.stringify({ argv: ["theirs"], display_name: "A", language: "python" }));
  spec("system", "b", JSON.stringify({ argv: ["b"], language: 5, interrupt_mode: "message", env: { X: "1" } }));
  spec("system", "broken", "{");
  spec("system", "empty", "{}");
  const found = await findSpecs([join(root, "own"), join(root, "nowhere"), join(root, "system")]);
  assert.deepEqual([...found.keys()], ["a", "b"]);
  assert.deepEqual(found.get("a")?.argv, ["mine", `${join(root, "own", "kernels", "a")}/x`]);
  assert.deepEqual([found.get("b")?.language, found.get("b")?.interrupt_mode, found.get("b")?.env], ["", "message", { X: "1" }]);
});

test("an interpreter is a kernel without a kernelspec", async () => {
  assert.deepEqual((await specOf(interpreterKernel("/my/python")))?.argv, ["/my/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]);
});

test("folders are Jupyter's own, the user's first", () => {
  assert.deepEqual(dataFolders({ JUPYTER_PATH: "/p:/q", JUPYTER_DATA_DIR: "/mine", VIRTUAL_ENV: "/venv" }, "linux"), [
    "/p", "/q", "/mine", "/venv/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter",
  ]);
});
