/** A cluster elsewhere, as a script in Python reaches it: by URL, token and pinned certificate, with no file of its own there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createServer, type Server } from "node:tls";
import { ensureInterpreter } from "../../scripts/python/interpreters.ts";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";

const cluster = useCluster({ BURLA_PYTHON: ensureInterpreter().command });
const folder = mkdtempSync(join(tmpdir(), "burla-tls-"));
let server: Server;
let heard = 0;

before(async () => {
  for (const name of ["own", "other"]) {
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=cluster", "-days", "2", "-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)];
    assert.equal(spawnSync("openssl", args).status, 0, "openssl makes the certificates of this test");
  }
  server = createServer({ key: readFileSync(join(folder, "own.key")), cert: readFileSync(join(folder, "own.pem")) }, (near) => {
    const far = connect(Number(new URL(cluster.address.url).port), "127.0.0.1");
    near.on("data", () => heard++);
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const address = (certificate: string) =>
  `cluster=ClusterAddress("https://127.0.0.1:${(server.address() as AddressInfo).port}", ${JSON.stringify(cluster.address.token)}, open(${JSON.stringify(join(folder, certificate))}).read())`;

test("over TLS with the certificate of the cluster, much in both directions", async () => {
  const { code, stderr } = await Script.python(cluster, `
blocks = [bytes([x]) * 300_000 for x in range(100)]
assert remote_parallel_map(lambda block: block * 2, blocks, ${address("own.pem")}).to_list() == [block * 2 for block in blocks]
lines = []
remote_parallel_map(print, range(1000), on_log=lines.append, ${address("own.pem")}).to_list()
assert sorted(int(line.text) for line in lines) == list(range(1000)), len(lines)`).ended();
  assert.equal(code, 0, stderr);
  assert.ok(heard > 0);
});

test("another certificate is refused before the token is sent", async () => {
  heard = 0;
  const { stderr } = await Script.python(cluster, `remote_parallel_map(lambda x: x, [1], ${address("other.pem")}).to_list()`).ended();
  assert.match(stderr, /BurlaError: no cluster at https:.*certificate verify failed/s);
  assert.equal(heard, 0);
});

test("by its URL, with the token in the environment; a wrong one is named", async () => {
  const { url, token } = cluster.address;
  const source = "print(remote_parallel_map(lambda x: x + 1, [1]).to_list())";
  const right = await Script.python(cluster, source, { env: { BURLA_CLUSTER: url, BURLA_TOKEN: token } }).ended();
  assert.equal(right.stdout, "[2]\n", right.stderr);
  const wrong = await Script.python(cluster, source, { env: { BURLA_CLUSTER: url, BURLA_TOKEN: "wrong" } }).ended();
  assert.match(wrong.stderr, /answered 401\n {2}Use the token of this cluster/);
  const none = await Script.python(cluster, source, { env: { BURLA_CLUSTER: url, BURLA_TOKEN: "" } }).ended();
  assert.match(none.stderr, /there is no token for the cluster/);
});

test("modules of the user's folder go along, and their classes come back as they are here", async () => {
  const own = join(folder, "project");
  mkdirSync(join(own, "shapes"), { recursive: true });
  writeFileSync(join(own, "shapes", "__init__.py"), "from .box import Box\n");
  writeFileSync(join(own, "shapes", "box.py"), "import math\nclass Box:\n    def __init__(self, side): self.side = side\n    @property\n    def area(self): return math.pow(self.side, 2)\nclass TooSmall(Exception): pass\ndef grow(box):\n    if box.side < 0: raise TooSmall(box.side)\n    return Box(box.side + 1)\n");
  const { code, stderr } = await Script.python(cluster, `
import shapes, shapes.box
def f(box): return shapes.box.grow(box)
boxes = remote_parallel_map(f, [shapes.Box(1), shapes.Box(2)], cluster=ClusterAddress(${JSON.stringify(cluster.address.url)}, ${JSON.stringify(cluster.address.token)})).to_list()
assert [type(box) is shapes.Box and box.area for box in boxes] == [4.0, 9.0]
try: remote_parallel_map(f, [shapes.Box(-1)], cluster=ClusterAddress(${JSON.stringify(cluster.address.url)}, ${JSON.stringify(cluster.address.token)})).to_list()
except shapes.box.TooSmall as error: assert "raise TooSmall(box.side)" in error.remote_traceback, error.remote_traceback
else: raise AssertionError`, { cwd: "/", env: { PYTHONPATH: `${own}:${join(import.meta.dirname, "../../client/dist/python")}` } }).ended();
  assert.equal(code, 0, stderr);
});
