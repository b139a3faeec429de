import { join } from "node:path";
import { describe } from "node:test";
import { ProcessRuntime } from "../../services/node/src/containers/process.ts";
import { containerRuntimeContract } from "./container-runtime.ts";
import { JAVASCRIPT, PYTHON } from "./languages.ts";
import type { OpenRuntime } from "./workbench.ts";

const open: OpenRuntime = ({ directory, workerProgram, pythonWorkerProgram }) =>
  Promise.resolve({ runtime: new ProcessRuntime({ workerProgram, pythonWorkerProgram, python: "python3", directory: join(directory, "workers") }), image: null });

for (const language of [JAVASCRIPT, PYTHON]) describe(language.runtime, () => void containerRuntimeContract(open, language));
