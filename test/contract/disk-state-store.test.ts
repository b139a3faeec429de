import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "node:test";
import { DiskStateStore } from "../../services/main/src/state/disk-state-store.ts";
import { stateStoreContract } from "./state-store.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-state-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

stateStoreContract(() => new DiskStateStore(directory));
