/** The shell in the extension host: start, watch, cancel, stop, against the real local cluster of the test's state folder. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, suiteSetup, suiteTeardown, test } from "mocha";
import * as vscode from "vscode";
import type { ExtensionApi } from "../../extension/src/extension.ts";
import type { Question } from "../../extension/src/clusters/questions.ts";
import type { ClusterState } from "../../extension/src/clusters/state.ts";
import { COMMANDS } from "../../extension/src/contributions.ts";
import { processesWith } from "../support/processes.ts";

const NEVER = new AbortController().signal;
const ASKING = { signal: NEVER };

suite("shell", () => {
  let shell: ExtensionApi["shell"];
  const current = (fits: (state: ClusterState) => boolean) => shell.hub.until("local", fits, NEVER);
  const jobNamed = (name: string) => ({ status }: ClusterState) => status?.jobs.some((job) => job.name === name) === true;

  suiteSetup(async () => {
    const extension = vscode.extensions.getExtension<ExtensionApi>("burla.burla-vscode");
    assert.ok(extension !== undefined);
    ({ shell } = await extension.activate());
    await vscode.workspace.getConfiguration().update("burla.cluster.autoStart", "always", vscode.ConfigurationTarget.Global);
  });

  suiteTeardown(async () => {
    await vscode.commands.executeCommand(COMMANDS.stopCluster);
  });

  test("starts nothing by itself", async () => {
    const { link } = await current(({ link: { kind } }) => kind !== "connecting");
    assert.equal(link.kind, "off");
  });

  test("the command starts the cluster, and resolves when its nodes are ready", async () => {
    await vscode.commands.executeCommand(COMMANDS.startCluster);
    const { link, status } = shell.hub.current;
    assert.equal(link.kind, "online");
    assert.ok(status !== null && status.nodes.length >= 2);
    assert.equal(status.nodes.length, status.wantedNodes);
  });

  test("ports of ours are not forwarded from a remote host", () => {
    const patterns = Object.entries(vscode.workspace.getConfiguration("remote").get<Record<string, { onAutoForward?: string }>>("portsAttributes", {}));
    const isIgnored = (command: string) => patterns.some(([pattern, { onAutoForward }]) => onAutoForward === "ignore" && new RegExp(pattern).test(command));
    const commands = processesWith(process.env["BURLA_HOME"] ?? "").filter(({ role }) => role !== "other").map(({ command }) => command);
    assert.ok(commands.length >= 3, String(commands));
    for (const command of [...commands, "/usr/bin/python3 -m ipykernel_launcher -f /tmp/burla-kernel-HECUcK/connection.json"]) assert.ok(isIgnored(command), command);
    assert.ok(!isIgnored("/usr/bin/node server.js"));
  });

  test("a second start joins what runs", async () => {
    const pid = shell.hub.current.status?.pid;
    await vscode.commands.executeCommand(COMMANDS.startCluster);
    assert.equal(shell.hub.current.status?.pid, pid);
  });

  test("a cluster that runs is ready for a job at once", async () => {
    const { target, ref } = await shell.ensureCluster(ASKING);
    assert.equal(target, "local");
    assert.equal(ref.label, "Local cluster");
  });

  test("a job of a script appears by itself, with its failures and its log", async () => {
    const ended = current(({ status }) => status?.jobs.some(({ name, endedAt }) => name === "fails" && endedAt !== null) === true);
    await script("fails.mjs", `const fails = (n) => { console.log("at " + n); if (n === 7) throw new RangeError("seven"); return n; };\nawait remoteParallelMap(fails, Array.from({ length: 20 }, (_, n) => n), { onError: "continue" }).toArray().catch(() => {});`);
    const { status } = await ended;
    const job = status?.jobs.find(({ name }) => name === "fails");
    assert.equal(job?.failed, 1);
    assert.equal(job.failures[0]?.index, 7);
    const { jobFailures, jobLogs } = await shell.loadControl();
    assert.match((await jobFailures(job.jobId)).failures[0]?.stack ?? "", /fails\.mjs/);
    const lines: string[] = [];
    for await (const { text } of jobLogs(job.jobId)) lines.push(text);
    assert.equal(lines.length, 20);
  });

  test("the line of a failed input opens", async () => {
    const job = shell.hub.current.status?.jobs.find(({ name }) => name === "fails");
    const { jobFailures } = await shell.loadControl();
    const [failure] = (await jobFailures(job?.jobId ?? "")).failures;
    await vscode.commands.executeCommand(COMMANDS.revealErrorLine, { type: "failure", jobId: job?.jobId, failure });
    const editor = vscode.window.activeTextEditor;
    assert.match(editor?.document.fileName ?? "", /fails\.mjs$/);
    assert.match(editor?.document.lineAt(editor.selection.active.line).text ?? "", /throw new RangeError/);
  });

  test("the full log opens as a document", async () => {
    const job = shell.hub.current.status?.jobs.find(({ name }) => name === "fails");
    await vscode.commands.executeCommand(COMMANDS.openFullLog, { type: "job", jobId: job?.jobId });
    const text = vscode.window.activeTextEditor?.document.getText() ?? "";
    assert.match(text, /stdout \[7\] at 7/);
    assert.equal(text.trim().split("\n").length, 20);
  });

  test("ids are copied", async () => {
    await vscode.commands.executeCommand(COMMANDS.copyId, { type: "node", ref: shell.hub.current.ref, nodeId: "local-0" });
    assert.equal(await vscode.env.clipboard.readText(), "local-0");
  });

  test("a job that runs elsewhere is seen to run, and to be cancelled from elsewhere", async () => {
    const ended = startScript("sleeps.mjs", `const sleeps = (n) => new Promise((resolve) => setTimeout(resolve, 600000, n));\nawait remoteParallelMap(sleeps, [1, 2]).toArray().catch(() => {});`);
    await current(({ status }) => status?.jobs.some(({ name, phase }) => name === "sleeps" && phase === "running") === true);
    const job = shell.hub.current.status?.jobs.find(({ name }) => name === "sleeps");
    const { cancelJob } = await shell.loadControl();
    await cancelJob(job?.jobId ?? "");
    await current(({ status }) => status?.jobs.some(({ name, phase }) => name === "sleeps" && phase === "cancelled") === true);
    await endOf(await ended);
  });

  test("a cluster by address is watched, its token is in the secret storage alone", async () => {
    const folder = join(process.env["BURLA_HOME"] ?? "", "clusters", "local");
    const { url, token } = JSON.parse(await readFile(join(folder, "cluster.json"), "utf8")) as { url: string; token: string };
    await shell.known.add({ name: "Team", url }, token);
    await shell.hub.until(url, ({ ref }) => ref.label === "Team", NEVER);
    const team = { type: "cluster", ref: shell.hub.state(url).ref };
    await vscode.commands.executeCommand(COMMANDS.chooseCluster, team);
    await shell.hub.until(url, ({ link }) => link.kind === "online", NEVER);
    assert.deepEqual((await shell.ensureCluster(ASKING)).target, { url, token });
    assert.ok(!JSON.stringify(vscode.workspace.getConfiguration("burla")).includes(token));

    await shell.known.add({ name: "Team", url }, "another token");
    await vscode.commands.executeCommand(COMMANDS.reconnect, team);
    const { link } = await shell.hub.until(url, ({ link: { kind } }) => kind === "error", NEVER);
    assert.equal(link.kind === "error" && link.trouble.code, "BURLA_UNAUTHORIZED");

    await shell.known.remove(url);
    await shell.hub.until("local", () => shell.hub.current.ref.id === "local", NEVER);
    assert.deepEqual(shell.hub.all().map(({ ref }) => ref.id), ["local"]);
  });

  test("the example opens, and is not written over", async () => {
    await vscode.commands.executeCommand(COMMANDS.openExample);
    const editor = vscode.window.activeTextEditor;
    assert.match(editor?.document.getText() ?? "", /export async function score/);
    await editor?.edit((edit) => edit.insert(new vscode.Position(0, 0), "// mine\n"));
    await editor?.document.save();
    await vscode.commands.executeCommand(COMMANDS.openExample);
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? "", /^\/\/ mine/);
    await vscode.commands.executeCommand(COMMANDS.openExampleNotebook);
    const notebook = vscode.workspace.notebookDocuments.find(({ uri }) => uri.path.endsWith("/simulate.ipynb"));
    assert.deepEqual(notebook?.getCells().map(({ document }) => document.languageId), ["markdown", "python", "python"]);
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
  });

  test("the cluster stops without a question when nothing is lost", async () => {
    await current(({ status }) => status?.jobs.every(({ endedAt }) => endedAt !== null) === true);
    await vscode.commands.executeCommand(COMMANDS.stopCluster);
    assert.equal(shell.hub.current.link.kind, "off");
    assert.ok(jobNamed("fails")(shell.hub.current) === false);
  });

  test("a question about the cluster is shown where it is waited for; an answer there, or any start, lets all go on", async () => {
    const consent = (value: string | undefined) => vscode.workspace.getConfiguration().update("burla.cluster.autoStart", value, vscode.ConfigurationTarget.Global);
    await consent("ask");
    const asked: (Question | null)[] = [];
    const question = () => new Promise<Question>((resolve) => {
      const onQuestion = (shown: Question | null) => {
        asked.push(shown);
        if (shown !== null) resolve(shown);
      };
      waits.push(shell.ensureCluster({ signal: NEVER, onQuestion }));
    });
    const waits: Promise<unknown>[] = [];
    const first = await question();
    await question();
    assert.match(first.text, /No cluster is running/);
    assert.equal(first.answers[0], "Start Cluster");
    shell.questions.answer(first, "Something else");
    const gone = new AbortController();
    const aborted = shell.ensureCluster({ signal: gone.signal, onQuestion: (shown) => shown !== null && gone.abort(new Error("gone")) });
    await assert.rejects(aborted, /gone/);
    assert.equal(shell.hub.current.link.kind, "off");
    await vscode.commands.executeCommand(COMMANDS.startCluster);
    await Promise.all(waits);
    assert.deepEqual(asked.slice(-2), [null, null]);
    await vscode.commands.executeCommand(COMMANDS.stopCluster);
    waits.length = 0;
    const second = await question();
    shell.questions.answer(second, "Start Cluster");
    await Promise.all(waits);
    assert.equal(shell.hub.current.link.kind, "online");
    await vscode.commands.executeCommand(COMMANDS.stopCluster);
    await consent("always");
  });

  test("what needs a cluster starts one and goes on", async () => {
    const { target } = await shell.ensureCluster(ASKING);
    assert.equal(target, "local");
    assert.equal(shell.hub.current.link.kind, "online");
  });

  test("a cluster that is killed is started again", async () => {
    process.kill(shell.hub.current.status?.pid ?? 0, "SIGKILL");
    await current(({ link: { kind } }) => kind === "unreachable" || kind === "off");
    await vscode.commands.executeCommand(COMMANDS.startCluster);
    assert.equal(shell.hub.current.link.kind, "online");
  });
});

async function script(name: string, body: string): Promise<void> {
  assert.equal(await endOf(await startScript(name, body)), 0);
}

/** @returns its exit status. */
async function endOf(child: ChildProcess): Promise<number | null> {
  return child.exitCode ?? (await new Promise((resolve) => child.once("exit", resolve)));
}

/** A program of the user's, in the workspace. */
async function startScript(name: string, body: string): Promise<ChildProcess> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  const extension = vscode.extensions.getExtension("burla.burla-vscode");
  const burla = vscode.Uri.file(join(extension?.extensionPath ?? "", "client", "dist", "index.js")).toString();
  const file = join(folder, name);
  await writeFile(file, `import { remoteParallelMap } from ${JSON.stringify(burla)};\n${body}\n`);
  return spawn(process.execPath, [file], { stdio: ["ignore", "inherit", "inherit"] });
}
