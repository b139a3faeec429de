/** What calls in Python print: each line on its input, none lost, whoever wrote it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";

const cluster = useCluster();

async function run(source: string): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await Script.python(cluster, source).ended();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return { stdout, stderr };
}

test("lines come tagged with their input, on the stream that they were printed to", async () => {
  const { stdout, stderr } = await run(`
import sys
def f(x):
    print("out", x)
    print("err", x, file=sys.stderr)
remote_parallel_map(f, range(2)).to_list()`);
  assert.deepEqual(stdout.trim().split("\n").sort(), ["[0] out 0", "[1] out 1"]);
  assert.deepEqual(stderr.trim().split("\n").sort(), ["[0] err 0", "[1] err 1"]);
});

test("native writes, child processes, forks, threads and unfinished lines belong to the input, too", async () => {
  await run(`
import multiprocessing, os, subprocess, sys, threading
def child(x): print("fork", x)
def f(x):
    os.write(1, b"native %d\\n" % x)
    subprocess.run(["echo", f"child {x}"])
    subprocess.run(["echo", f"to stream {x}"], stdout=sys.stdout)
    process = multiprocessing.get_context("fork").Process(target=child, args=(x,))
    process.start(); process.join()
    thread = threading.Thread(target=print, args=("thread", x))
    thread.start(); thread.join()
    sys.stdout.buffer.write(f"bytes ä {x}\\n".encode())
    sys.__stdout__.write(f"original {x}\\n")
    print("no newline", x, end="")
lines = []
remote_parallel_map(f, range(4), on_log=lines.append).to_list()
words = ["native", "child", "to stream", "fork", "thread", "bytes ä", "original", "no newline"]
for x in range(4):
    assert sorted(l.text for l in lines if l.index == x) == sorted(f"{word} {x}" for word in words), [l for l in lines if l.index == x]`);
});

test("100,000 lines arrive, each once", async () => {
  await run(`
def f(x):
    for at in range(100): print(x, at)
lines = []
remote_parallel_map(f, range(1000), on_log=lambda line: lines.append((line.index, line.text))).to_list()
assert len(lines) == 100_000 and sorted(lines) == sorted((x, f"{x} {at}") for x in range(1000) for at in range(100)), len(lines)`);
});

test("what a long call prints comes while it runs", async () => {
  const script = Script.python(cluster, `
import time
def f(x):
    print("begun")
    time.sleep(60)
remote_parallel_map(f, [0]).to_list()`);
  assert.match(await script.line(/begun/), /begun/);
  script.kill("SIGINT");
  await script.ended();
});

test("long lines are cut, and a flood beyond the limit is counted", async () => {
  await run(`
def long(x): print("x" * 100_000)
lines = []
remote_parallel_map(long, [0], on_log=lines.append).to_list()
assert len(lines) == 1 and lines[0].text.endswith("… (100000 characters)") and len(lines[0].text) < 17_000
def flood(x):
    for at in range(260_000): print(at)
lines.clear()
remote_parallel_map(flood, [0], on_log=lines.append).to_list()
import re
notices = [re.fullmatch(r"… (\\d+) lines were dropped", line.text) for line in lines]
dropped = sum(int(notice[1]) for notice in notices if notice)
kept = sum(notice is None for notice in notices)
assert kept + dropped == 260_000 and kept >= 200_000, (kept, dropped)`);
});

test("a bar of progress is one line, whose states come while it goes on", async () => {
  const { stdout, stderr } = await run(`
import os, sys, time
def f(x):
    for at in range(2001):
        sys.stderr.write(f"\\r{x}: {at}"); sys.stderr.flush()
        if at == 1000: time.sleep(0.6)
    sys.stderr.write("\\n")
    for at in range(3): print(f"{at}%", end="\\r")
    print("erased\\x1b[2K\\x1b[1Gkept\\r\\nthen\\r")
    os.write(1, b"native 1%\\rnative 2%\\r")
    sys.stderr.write("\\r    \\r")
lines = []
remote_parallel_map(f, range(2), on_log=lines.append).to_list()
for x in range(2):
    texts = [l.text for l in lines if l.index == x and l.stream == "stderr"]
    states = [text for text in texts if text.endswith("\\r")]
    assert texts[-1] == f"{x}: 2000" and len(texts) == len(states) + 1 and 2 <= len(states) < 20, texts
    out = [l.text for l in lines if l.index == x and l.stream == "stdout" and not l.text.endswith("\\r")]
    assert sorted(out) == ["kept", "native 2%", "then"], out
remote_parallel_map(f, range(1)).to_list()`);
  assert.deepEqual(stderr.split("\n").filter((line) => line.startsWith("[0]")), ["[0] 0: 2000"]);
  assert.doesNotMatch(stdout + stderr, /\r/);
});
