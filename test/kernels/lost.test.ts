/** Whatever becomes of a kernel and of the way to it: what was run there ends. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { interpreter, jupyterServer, KernelHost, startKernel, type JupyterEndpoint, type JupyterKernel, type StartOptions } from "@burla/kernel-bridge/jupyter";
import { PYTHON } from "../../scripts/jupyter/install.ts";
import { during, outcomeOf, run, valueOf } from "../contract/live-kernel.ts";
import { Proxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { JupyterServer, TOKEN } from "./server.ts";

const server = new JupyterServer();
const host = new KernelHost();
const folder = mkdtempSync(join(tmpdir(), "burla-lost-"));
after(async () => {
  await Promise.all([host.dispose(), server.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Nothing but the end of its process stops it, and it says nothing then. */
const DEAF = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('on', flush=True)\ntime.sleep(600)";

async function withKernel(endpoint: JupyterEndpoint, body: (kernel: JupyterKernel) => Promise<void>, options?: StartOptions): Promise<void> {
  const kernel = await startKernel(endpoint, { name: "python3", language: "python" }, options);
  try {
    await body(kernel);
  } finally {
    await kernel.dispose();
  }
}

/** What another client asks, which is not told to those who have a line. */
async function request({ settings }: JupyterEndpoint, method: "POST" | "DELETE", path: string): Promise<void> {
  const body = method === "POST" ? { body: "{}" } : {};
  const response = await settings.fetch(`${settings.baseUrl}api/kernels/${path}`, { method, ...body, headers: { authorization: `token ${settings.token}` } });
  assert.ok(response.ok, `${response.status}`);
}

/** An execution that comes too early may be lost, too. */
async function worksAgain(kernel: JupyterKernel): Promise<void> {
  await until("the kernel works again", async () => valueOf(await run(kernel, "6 * 7")) === "42", 60_000);
}

for (const [transport, endpointOf] of [["a server", () => server.endpoint()], ["no server", () => Promise.resolve(host.endpoint)]] as const) {
  test(`${transport}: a kernel that another client ends takes with it what runs, and what is given later`, async () => {
    const endpoint = await endpointOf();
    await withKernel(endpoint, async (kernel) => {
      assert.equal(outcomeOf(await during(kernel, DEAF, () => request(endpoint, "DELETE", kernel.id))), "lost");
      assert.equal(kernel.status, "dead");
      assert.equal(outcomeOf(await run(kernel, "1")), "lost");
      await kernel.restart();
      await worksAgain(kernel);
    });
  });

  test(`${transport}: a kernel that another client restarts, and asks nothing then, has lost what ran`, async () => {
    const endpoint = await endpointOf();
    await withKernel(endpoint, async (kernel) => {
      assert.equal(outcomeOf(await during(kernel, DEAF, () => request(endpoint, "POST", `${kernel.id}/restart`))), "lost");
      await worksAgain(kernel);
    });
  });
}

test("what runs and what waits is given up when the line stays away, and the kernel is there when it is back", async () => {
  await server.endpoint();
  const proxy = await Proxy.inFrontOf(() => new URL(server.url));
  try {
    await withKernel(jupyterServer({ url: proxy.url, token: TOKEN }), async (kernel) => {
      await run(kernel, "kept = 42");
      const events = await during(kernel, "import time\nprint('on', flush=True)\ntime.sleep(5)", () => {
        proxy.refuse(true);
        proxy.cut();
      });
      assert.equal(outcomeOf(events), "lost");
      assert.equal(kernel.status, "reconnecting");
      assert.equal(outcomeOf(await run(kernel, "1")), "lost");
      proxy.refuse(false);
      await until("the line is back", async () => valueOf(await run(kernel, "kept")) === "42", 60_000);
    }, { lineTimeoutMs: 1_000 });
  } finally {
    proxy.close();
  }
});

test("when the program that runs local kernels is gone, nothing waits for it, and a restart starts it again", async () => {
  await withKernel(host.endpoint, async (kernel) => {
    const pid = Number(valueOf(await run(kernel, "import os\nos.getppid()")));
    assert.equal(outcomeOf(await during(kernel, DEAF, () => process.kill(pid, "SIGKILL"))), "lost");
    assert.equal(outcomeOf(await run(kernel, "1")), "lost");
    await kernel.restart();
    await worksAgain(kernel);
  });
});

test("a kernel that cannot be started again is dead", async () => {
  const python = join(folder, "python");
  const broken = join(folder, "broken");
  writeFileSync(python, `#!/bin/sh\n[ -e ${broken} ] && exit 7\nexec ${PYTHON} "$@"\n`);
  chmodSync(python, 0o755);
  const kernel = await startKernel(host.endpoint, interpreter(python));
  try {
    writeFileSync(broken, "");
    await assert.rejects(kernel.restart(), /ended with code 7/);
    assert.equal(kernel.status, "dead");
    assert.equal(outcomeOf(await run(kernel, "1")), "lost");
    rmSync(broken);
    await kernel.restart();
    await worksAgain(kernel);
  } finally {
    await kernel.dispose();
  }
});
