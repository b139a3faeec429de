import { join } from "node:path";
import { ProcessRuntime } from "../../services/node/src/containers/process.ts";
import { containerRuntimeContract } from "./container-runtime.ts";

containerRuntimeContract(({ directory, workerProgram }) =>
  Promise.resolve({ runtime: new ProcessRuntime({ workerProgram, pythonWorkerProgram: "", python: "python3", directory: join(directory, "workers") }), image: null }),
);
