/**
 * What the stand-in gives to VS Code as `extensionTestsPath`: runs the module that was really asked for, and leaves a
 * file when it is through. The workbench reports success also when the extension host crashed or ended half way.
 */
const { writeFileSync } = require("node:fs");
const { pathToFileURL } = require("node:url");

exports.run = async function run() {
  const { BURLA_TESTS_PATH: path, BURLA_TESTS_RESULT: resultFile } = process.env;
  try {
    const tests = await import(pathToFileURL(require.resolve(path)).href);
    const start = tests.run ?? tests.default?.run;
    if (typeof start !== "function") throw new Error(`${path} does not export run()`);
    await start();
    writeFileSync(resultFile, "passed");
  } catch (error) {
    writeFileSync(resultFile, "failed");
    throw error;
  }
};
