/** The contract for Docker with workers in Python. */
import { before } from "node:test";
import { workerImageName } from "@burla/protocol";
import { containerRuntimeContract } from "../contract/container-runtime.ts";
import { PYTHON } from "../contract/languages.ts";
import { ensureWorkerImage } from "./support/engine.ts";
import { openDocker } from "./support/runtime.ts";
import { VERSION } from "./support/version.ts";

before(() => ensureWorkerImage(undefined, "python"));
containerRuntimeContract(openDocker(workerImageName("python", VERSION)), PYTHON);
