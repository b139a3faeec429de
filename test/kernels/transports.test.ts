/** What can happen to a kernel and to the way to it, on both transports. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { connectKernel, interpreter, KernelHost, listKernels, listRunning, startKernel, jupyterServer, type JupyterEndpoint, type JupyterKernel } from "@burla/kernel-bridge/jupyter";
import type { KernelEvent, KernelStatus, LiveKernel } from "@burla/kernel-bridge";
import { PYTHON } from "../../scripts/jupyter/install.ts";
import { during, outcomeOf, run, statusOf, streamOf, valueOf } from "../contract/live-kernel.ts";
import { Proxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { JupyterServer, TOKEN } from "./server.ts";

const host = new KernelHost();
const server = new JupyterServer();
after(() => Promise.all([host.dispose(), server.stop()]));

const PYTHON3 = { name: "python3", language: "python" } as const;
/** Nothing is on its way for a while after the first line: what is when a line breaks may be lost. */
const SLOW = "import time\nfor i in range(30):\n    print(i, flush=True)\n    time.sleep(0.1 if i else 2)\n'over'";

async function withKernel(endpoint: JupyterEndpoint, name: string, body: (kernel: JupyterKernel) => Promise<void>): Promise<void> {
  const kernel = await startKernel(endpoint, { name, language: "python" });
  try {
    await body(kernel);
  } finally {
    await kernel.dispose();
  }
}

/** A line to the server that can be cut. */
async function withProxy(body: (proxy: Proxy, endpoint: JupyterEndpoint) => Promise<void>): Promise<void> {
  const proxy = await Proxy.inFrontOf(() => new URL(server.url));
  try {
    await body(proxy, jupyterServer({ url: proxy.url, token: TOKEN }));
  } finally {
    proxy.close();
  }
}

async function pidOf(kernel: LiveKernel): Promise<number> {
  return Number(valueOf(await run(kernel, "import os\nos.getpid()")));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

for (const [transport, endpointOf] of [["a server", () => server.endpoint()], ["no server", () => Promise.resolve(host.endpoint)]] as const) {
  const check = (what: string, body: (kernel: JupyterKernel, endpoint: JupyterEndpoint) => Promise<void>) =>
    test(`${transport}: ${what}`, async () => {
      const endpoint = await endpointOf();
      await withKernel(endpoint, PYTHON3.name, (kernel) => body(kernel, endpoint));
    });

  check("kernels are listed", async (_kernel, endpoint) => {
    const found = (await listKernels(endpoint)).find(({ name }) => name === "python3");
    assert.deepEqual(found, { name: "python3", displayName: "Python 3 (ipykernel)", language: "python" });
  });

  check("what asks its user waits for the answer; where nobody may be asked it fails", async (kernel) => {
    const events: KernelEvent[] = [];
    for await (const event of kernel.execute("import getpass\nname = input('Name? ')\nword = getpass.getpass('Word? ')\n(name, word)", { allowInput: true })) {
      events.push(event);
      if (event.type === "input") event.answer(event.isPassword ? "secret" : "Ada");
    }
    assert.deepEqual(events.flatMap((event) => (event.type === "input" ? [[event.prompt, event.isPassword]] : [])), [["Name? ", false], ["Word? ", true]]);
    assert.equal(valueOf(events), "('Ada', 'secret')");
    const refused = await run(kernel, "input('Name? ')");
    assert.equal(refused.find((event) => event.type === "error")?.name, "StdinNotImplementedError");
  });

  check("a display is updated in its own execution and from a later one", async (kernel) => {
    const first = await run(kernel, "h = display('a', display_id='one')\nh.update('b')");
    assert.deepEqual(
      first.flatMap((event) => (event.type === "display" || event.type === "displayUpdate" ? [[event.type, event.displayId, event.data["text/plain"]]] : [])),
      [["display", "one", "'a'"], ["displayUpdate", "one", "'b'"]],
    );
    const later = await run(kernel, "h.update('c')");
    assert.deepEqual(later.flatMap((event) => (event.type === "displayUpdate" ? [[event.displayId, event.data["text/plain"]]] : [])), [["one", "'c'"]]);
  });

  check("output is cleared, at once or with the next", async (kernel) => {
    const events = await run(kernel, "from IPython.display import clear_output\nprint(1)\nclear_output()\nclear_output(wait=True)\nprint(2)");
    assert.deepEqual(events.flatMap((event) => (event.type === "clear" ? [event.wait] : [])), [false, true]);
  });

  check("a kernel that dies ends what runs, says so, and comes back by a restart", async (kernel) => {
    const seen: KernelStatus[] = [];
    kernel.onStatus((status) => seen.push(status));
    const pid = await pidOf(kernel);
    const events = await during(kernel, "print('on', flush=True)\nwhile True: pass", () => process.kill(pid, "SIGKILL"));
    assert.equal(outcomeOf(events), "lost");
    await until("the death is told", () => seen.some((status) => status === "dead" || status === "restarting"));
    if (kernel.status === "dead") assert.equal(outcomeOf(await run(kernel, "1")), "lost");
    await kernel.restart();
    assert.equal(valueOf(await run(kernel, "6 * 7")), "42");
  });

  check("a second connection sees the same session, and leaves it alone when it goes", async (kernel, endpoint) => {
    await run(kernel, "kept = 7");
    const found = (await listRunning(endpoint)).find(({ id }) => id === kernel.id);
    assert.ok(found !== undefined);
    const second = await connectKernel(endpoint, found);
    try {
      assert.equal(valueOf(await run(second, "kept")), "7");
    } finally {
      await second.dispose();
    }
    assert.equal(valueOf(await run(kernel, "kept")), "7");
    await assert.rejects(connectKernel(endpoint, { ...found, id: "11111111-2222-3333-4444-555555555555" }), /there is no kernel/);
  });

  check("a restart by one connection ends what another has open", async (kernel, endpoint) => {
    const second = await connectKernel(endpoint, { id: kernel.id, ...PYTHON3 });
    try {
      const open = during(second, "print('on', flush=True)\nimport time\ntime.sleep(600)", () => kernel.restart());
      // Who restarts interrupts first: the code may still say so.
      assert.ok(["lost", "error"].includes(outcomeOf(await open)), outcomeOf(await open));
      // A server may still be at it: what comes too early is lost as well, and said to be.
      await until("the other connection works again", async () => {
        const events = await run(second, "6 * 7");
        assert.ok(["ok", "lost", "aborted"].includes(outcomeOf(events)), outcomeOf(events));
        return valueOf(events) === "42";
      });
    } finally {
      await second.dispose();
    }
  });

  check("left while it is busy, a kernel of this machine ends without an interrupt, one of a server goes on", async (kernel, endpoint) => {
    const pid = await pidOf(kernel);
    const events = await during(kernel, "print('on', flush=True)\nimport time\ntime.sleep(600)", () => kernel.leave());
    assert.equal(outcomeOf(events), "lost");
    assert.equal(kernel.status, "dead");
    if (transport === "no server") return void (await until("the kernel has ended", () => !isAlive(pid)));
    // The server hears of it on a line of its own.
    await until("the kernel is told to be busy", async () => (await listRunning(endpoint)).find(({ id }) => id === kernel.id)?.state === "busy");
  });

  check("left while it is idle, it ends", async (kernel) => {
    const pid = await pidOf(kernel);
    await kernel.leave();
    await until("the kernel has ended", () => !isAlive(pid));
  });

  check("5 MB of output arrive whole, or the server says that it dropped some", async (kernel) => {
    const events = await run(kernel, "for i in range(5000): print('x' * 1000)");
    assert.equal(outcomeOf(events), "ok");
    if (transport === "no server") assert.equal(streamOf(events).length, 5000 * 1001);
    else assert.ok(streamOf(events).length === 5000 * 1001 || /data rate exceeded/.test(streamOf(events, "stderr")), streamOf(events, "stderr"));
  });
}

test("a line that breaks is mended, and nothing that came meanwhile is lost", async () => {
  await server.endpoint();
  await withProxy(async (proxy, endpoint) => {
    await withKernel(endpoint, "python3", async (kernel) => {
      const seen: KernelStatus[] = [];
      kernel.onStatus((status) => seen.push(status));
      const events = await during(kernel, SLOW, () => proxy.cut());
      assert.equal(outcomeOf(events), "ok");
      assert.equal(valueOf(events), "'over'");
      assert.deepEqual(streamOf(events).trim().split("\n"), Array.from({ length: 30 }, (_, i) => String(i)));
      assert.ok(seen.includes("reconnecting"), seen.join());
    });
  });
});

test("a kernel that dies of an interrupt is reported as dead", async () => {
  await withKernel(host.endpoint, "xpython", async (kernel) => {
    const events = await during(kernel, "import time\nprint('on', flush=True)\ntime.sleep(600)", () => kernel.interrupt());
    assert.equal(outcomeOf(events), "lost");
    await statusOf(kernel, "dead");
    await kernel.restart();
    assert.equal(valueOf(await run(kernel, "6 * 7")), "42");
  });
});

test("errors say what is wrong and what to do", async () => {
  await assert.rejects(startKernel(host.endpoint, interpreter("/nowhere/python")), /could not be started: spawn \/nowhere\/python ENOENT/);
  await assert.rejects(startKernel(host.endpoint, interpreter("/bin/false")), /ended with code 1/);
  await assert.rejects(startKernel(host.endpoint, { name: "klingon", language: "python" }), /no kernel klingon on this machine/);
  await assert.rejects(listKernels(jupyterServer({ url: (await server.endpoint()).settings.baseUrl, token: "wrong" })), { code: "BURLA_KERNEL" });
  await assert.rejects(listKernels(jupyterServer({ url: "http://127.0.0.1:9/", token: "" })), { code: "BURLA_KERNEL" });
  assert.throws(() => jupyterServer({ url: "localhost", token: "" }), /not the address of a Jupyter server/);
});

test("an address is taken as Jupyter prints it, with its token", async () => {
  await server.endpoint();
  const kernels = await listKernels(jupyterServer({ url: `${server.url}lab?token=${TOKEN}`, token: "" }));
  assert.ok(kernels.some(({ name }) => name === "python3"));
});

test("a kernel ends with its owner, also when that is killed, and when the host is", async () => {
  for (const victim of ["owner", "host"] as const) {
    const owner = spawn(process.execPath, ["--import", "tsx", new URL("kernel-owner.ts", import.meta.url).pathname, PYTHON], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      let line = "{}";
      for await (line of createInterface(owner.stdout)) if (line.startsWith("{")) break;
      const { kernel, host: hostPid } = JSON.parse(line) as { kernel: number; host: number };
      assert.ok(isAlive(kernel) && isAlive(hostPid));
      process.kill(victim === "owner" ? (owner.pid ?? 0) : hostPid, "SIGKILL");
      await until(`the kernel is gone with its ${victim}`, () => !isAlive(kernel));
    } finally {
      owner.kill("SIGKILL");
    }
  }
});
