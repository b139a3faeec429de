/** Running functions in the extension host, against the real local cluster of the test's state folder. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, suiteSetup, suiteTeardown, test } from "mocha";
import * as vscode from "vscode";
import type { ExtensionApi } from "../../extension/src/extension.ts";
import { COMMANDS, TOOLS } from "../../extension/src/contributions.ts";
import type { RunnableFunction } from "../../extension/src/functions/meant.ts";
import type { Run } from "../../extension/src/runs/run.ts";
import { RunFunctionTool } from "../../extension/src/tools/run-tool.ts";

const SOURCE = `export const documents = Array.from({ length: 60 }, (_, id) => ({ id }));
export function check(document: { id: number }) {
  console.log("checking " + document.id);
  if (document.id % 20 === 5) throw new RangeError("five");
  return document.id * 2;
}
export const slow = async (x: number) => { await new Promise((resolve) => setTimeout(resolve, 50)); return x; };
throw new Error("the file itself must not run in the editor");
`;

suite("runs", () => {
  let api: ExtensionApi;
  let file = "";
  const uri = () => vscode.Uri.file(file);
  const named = (name: string): RunnableFunction => ({ uri: uri(), ref: { kind: "named", name }, label: name });
  const problems = () => vscode.languages.getDiagnostics(uri()).filter(({ source }) => source === "Burla");

  suiteSetup(async () => {
    const extension = vscode.extensions.getExtension<ExtensionApi>("burla.burla-vscode");
    assert.ok(extension !== undefined);
    api = await extension.activate();
    await vscode.workspace.getConfiguration().update("burla.cluster.autoStart", "always", vscode.ConfigurationTarget.Global);
    file = join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "", "check.ts");
    // What throws at the top keeps its functions from being imported: they are sent without it.
    await writeFile(file, `import { remoteParallelMap } from "burla";\n${SOURCE}void remoteParallelMap;\n`);
  });

  suiteTeardown(async () => {
    await vscode.commands.executeCommand(COMMANDS.stopCluster);
  });

  test("lenses stand above functions, follow what is typed, and can be turned off", async () => {
    const lenses = () => vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", uri(), 10);
    const ours = async () => (await lenses()).filter(({ command }) => command?.command === COMMANDS.runFunction).map(({ range }) => range.start.line);
    await vscode.workspace.openTextDocument(uri());
    assert.deepEqual(await ours(), [2, 7]);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(uri(), new vscode.Position(1, 0), "export function half(x) { if (\n");
    await vscode.workspace.applyEdit(edit);
    assert.deepEqual(await ours(), [1, 3, 8]);
    const undo = new vscode.WorkspaceEdit();
    undo.delete(uri(), new vscode.Range(1, 0, 2, 0));
    await vscode.workspace.applyEdit(undo);
    await (await vscode.workspace.openTextDocument(uri())).save();
    await vscode.workspace.getConfiguration().update("burla.codeLens.enabled", false, vscode.ConfigurationTarget.Global);
    assert.deepEqual(await ours(), []);
    await vscode.workspace.getConfiguration().update("burla.codeLens.enabled", undefined, vscode.ConfigurationTarget.Global);
  });

  test("a run starts the cluster, fills its rows, and shows errors at their line", async () => {
    const show = (value: string | undefined) => vscode.workspace.getConfiguration().update("burla.errors.show", value, vscode.ConfigurationTarget.Global);
    await show("problems");
    const run = await api.launcher.run(named("check"), { kind: "export", name: "documents" });
    assert.equal(run.record.phase, "done", run.record.problem?.message);
    assert.deepEqual([run.rows.count, run.rows.failedIndexes()], [60, [5, 25, 45]]);
    assert.equal(api.runs.current, run);
    const [problem, ...more] = await untilSome(problems);
    assert.deepEqual(more, []);
    assert.match(problem?.message ?? "", /RangeError: five \(input \d+ and 2 more\)/);
    assert.equal(problem?.range.start.line, 4);
    await show(undefined);
    assert.deepEqual(problems(), []);
    await show("problems");
    assert.equal(problems().length, 1);
    const lines = (await readFile(run.record.spool, "utf8")).trimEnd().split("\n");
    assert.equal(lines.length, 60);
  });

  test("an edit takes the problems away; the failed inputs run again with what was edited, saved or not", async () => {
    const run = api.runs.current as Run;
    const document = await vscode.workspace.openTextDocument(uri());
    const edit = new vscode.WorkspaceEdit();
    const at = document.getText().indexOf("throw new RangeError");
    edit.replace(uri(), new vscode.Range(document.positionAt(at), document.positionAt(at + `throw new RangeError("five")`.length)), "return -1");
    await vscode.workspace.applyEdit(edit);
    assert.deepEqual(problems(), []);
    assert.ok(document.isDirty);
    await vscode.commands.executeCommand(COMMANDS.rerunFailed);
    assert.ok(!document.isDirty);
    assert.deepEqual([run.record.phase, run.rows.count, run.rows.failed], ["done", 60, 0]);
    assert.equal(run.rows.get(25)?.text, "-1");
    assert.equal(run.rows.get(25)?.input, '{"id":25}');
  });

  test("a job of the tree leads to its results, its function, and runs again", async () => {
    const run = api.runs.current as Run;
    const element = { type: "job", jobId: run.record.job?.jobId };
    await api.shell.hub.until("local", ({ status }) => status?.jobs.some(({ jobId }) => jobId === element.jobId) === true, new AbortController().signal);
    assert.equal(api.shell.origins.of(element.jobId ?? "")?.place, "");
    await vscode.commands.executeCommand(COMMANDS.goToJobSource, element);
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, file);
    assert.equal(vscode.window.activeTextEditor.selection.start.line, 2);
    await vscode.commands.executeCommand(COMMANDS.runJobAgain, element);
    const again = api.runs.current as Run;
    assert.notEqual(again, run);
    assert.deepEqual([again.record.phase, again.rows.count, again.record.source], ["done", 60, run.record.source]);
    await vscode.commands.executeCommand(COMMANDS.showJobResults, element);
    assert.equal(api.runs.current, run);
  });

  test("results open as a notebook that shows them", async () => {
    const run = api.runs.current as Run;
    assert.ok(run.rows.count > 0);
    const choosing = vscode.commands.executeCommand(COMMANDS.openAsNotebook);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
    await choosing;
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    assert.match(notebook?.cellAt(1).document.getText() ?? "", /const results = readFileSync\(".*newest\.ndjson"/);
    await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  });

  test("functions of a Python file have lenses, run, show errors at their line, and run again", async () => {
    const python = vscode.Uri.file(join(file, "..", "scores.py"));
    await writeFile(python.fsPath, "documents = [1, 2, 3, 5]\n\ndef score(n: int):\n    if n == 5:\n        raise ValueError('five')\n    return {'n': n, 'twice': 2 * n}\n");
    await vscode.workspace.openTextDocument(python);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", python, 10);
    assert.deepEqual(lenses.flatMap(({ command, range }) => (command?.command === COMMANDS.runFunction ? [range.start.line] : [])), [2]);
    const run = await api.launcher.run({ uri: python, ref: { kind: "named", name: "score" }, label: "score" }, { kind: "export", name: "documents" });
    assert.equal(run.record.phase, "done", run.record.problem?.message);
    assert.deepEqual([run.rows.count, run.rows.failedIndexes(), run.rows.columns], [4, [3], ["n", "twice"]]);
    assert.deepEqual(run.rows.get(3)?.place, { file: python.fsPath, line: 5, column: 1 });
    const document = await vscode.workspace.openTextDocument(python);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(python, document.lineAt(4).range, "        return {'n': 0}");
    await vscode.workspace.applyEdit(edit);
    await vscode.commands.executeCommand(COMMANDS.rerunFailed);
    assert.deepEqual([run.record.phase, run.rows.failed, run.rows.get(3)?.text], ["done", 0, '{"n":0}']);
    const { text } = await api.launcher.ask({ type: "explain", file: python.fsPath, fn: { kind: "named", name: "score" } }, join(file, ".."), "explained");
    assert.match(text, /function: score/);
  });

  test("a run can be cancelled while it runs", async () => {
    const running = api.launcher.run(named("slow"), { kind: "expression", text: "Array.from({ length: 5000 }, (_, i) => i)" });
    const run = await nextRows(api);
    await vscode.commands.executeCommand(COMMANDS.cancelRun);
    await running;
    assert.equal(run.record.phase, "cancelled");
    assert.ok(run.rows.count < 5_000);
  });

  test("what hinders a run is told in the run, with a cure", async () => {
    const run = await api.launcher.run(named("check"), { kind: "expression", text: "documents.nothing()" });
    assert.equal(run.record.phase, "failed");
    assert.match(run.record.problem?.message ?? "", /nothing is not a function/);
    assert.match(run.record.problem?.cure ?? "", /mend that line/);
    const gone = await api.launcher.run(named("gone"), { kind: "export", name: "documents" });
    assert.match(gone.record.problem?.message ?? "", /no function "gone"/);
  });

  test("what cannot be compiled is marked at its place, until it is edited", async () => {
    const broken = vscode.Uri.file(join(file, "..", "broken.ts"));
    await writeFile(broken.fsPath, "export const rows = [1, 2];\nexport function check(row: number) {\n  return row +;\n}\n");
    const { record } = await api.launcher.run({ uri: broken, ref: { kind: "named", name: "check" }, label: "check" }, { kind: "export", name: "rows" });
    assert.deepEqual([record.phase, record.problem?.place?.line], ["failed", 3]);
    const marks = () => vscode.languages.getDiagnostics(broken).filter(({ source }) => source === "Burla");
    const [mark] = await untilSome(marks);
    assert.equal(mark?.range.start.line, 2);
    assert.match(mark.message, /Unexpected ";"/);
    await vscode.workspace.openTextDocument(broken);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(broken, new vscode.Range(2, 0, 2, 15), "  return row + 1;");
    await vscode.workspace.applyEdit(edit);
    assert.deepEqual(marks(), []);
    assert.equal((await api.launcher.run({ uri: broken, ref: { kind: "named", name: "check" }, label: "check" }, { kind: "export", name: "rows" })).record.phase, "done");
  });

  test("inputs that cannot be read begin no job, say why, and are not offered again", async () => {
    const texts = { "object.json": '{"a": 1}', "broken.json": "[1, 2", "empty.json": "", "none.json": "[]", "none.ndjson": "" };
    for (const [name, text] of Object.entries(texts)) {
      const path = join(file, "..", name);
      await writeFile(path, text);
      let taken = 0;
      const { record } = await api.launcher.run(named("check"), { kind: "file", path, format: name.endsWith("ndjson") ? "ndjson" : "json" }, { onTaken: () => taken++ });
      assert.equal(record.phase, "failed", name);
      assert.ok((record.problem?.message ?? "").includes(name), `${name}: ${record.problem?.message}`);
      assert.equal(taken, 0, name);
    }
    const empty = await api.launcher.run(named("check"), { kind: "expression", text: "documents.slice(0, 0)" });
    assert.match(empty.record.problem?.message ?? "", /has no inputs/);
    assert.deepEqual(api.shell.hub.current.status?.jobs.filter(({ inputs }) => inputs === 0), []);
  });

  test("what would be sent is a document that cannot be changed", async () => {
    await vscode.window.showTextDocument(uri());
    await vscode.commands.executeCommand(COMMANDS.previewFunction, { uri: uri(), name: "check", label: "check" });
    const document = vscode.window.activeTextEditor?.document;
    assert.equal(document?.uri.scheme, "burla");
    assert.match(document?.getText() ?? "", /sent of its file.*export function check.*left out of its file.*throw new Error/s);
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
  });

  test("tools for assistants: status, log, a function run with consent to machines and cost", async () => {
    const names = vscode.lm.tools.map(({ name }) => name);
    for (const name of Object.values(TOOLS)) assert.ok(names.includes(name), name);
    const textOf = ({ content }: vscode.LanguageModelToolResult) => content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : "")).join("");
    const ask = async (name: string, input: object) => textOf(await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined }));
    assert.match(await ask(TOOLS.clusterStatus, {}), /Local cluster: online\n\d+ nodes/);
    const tool = new RunFunctionTool(api.shell, api.launcher);
    const input = { file: "check.ts", functionName: "check", inputs: [{ id: 1 }, { id: 2 }] };
    const { confirmationMessages } = tool.prepareInvocation({ input });
    assert.match((confirmationMessages?.message as vscode.MarkdownString).value.replaceAll("&nbsp;", " ").replaceAll("\\", ""), /over 2 inputs.*2 × .*costs nothing/);
    const answer = await tool.invoke({ input, toolInvocationToken: undefined }, new vscode.CancellationTokenSource().token);
    assert.match(answer, /Done: 2 inputs.*input 0 \(\{"id":1\}\): 2\ninput 1 \(\{"id":2\}\): 4/s);
    assert.match(await ask(TOOLS.jobLogs, { maxLines: 5 }), /\[0\] checking 1/);
    assert.match(await ask(TOOLS.jobLogs, { jobId: "job-0000000000000000000" }), /It did not work: .*knows no job/);
    await assert.rejects(tool.invoke({ input: { ...input, functionName: "none" }, toolInvocationToken: undefined }, new vscode.CancellationTokenSource().token), /has no function none.*check, slow/);
  });
});

/** The run whose rows come next. */
function nextRows(api: ExtensionApi): Promise<Run> {
  return new Promise((resolve) => {
    const listener = api.runs.onDidChange(({ run, change }) => {
      if (change.kind !== "rows") return;
      listener.dispose();
      resolve(run);
    });
  });
}

/** Problems as soon as there are some. */
function untilSome(look: () => vscode.Diagnostic[]): Promise<vscode.Diagnostic[]> {
  return new Promise((resolve) => {
    const tell = () => {
      const found = look();
      if (found.length === 0) return;
      listener.dispose();
      resolve(found);
    };
    const listener = vscode.languages.onDidChangeDiagnostics(tell);
    tell();
  });
}
