/** A real project in the place of the emulator, for `npm run test:gcp`. Zones cannot be emptied there, so none is. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GoogleProject } from "@burla/protocol/gce";
import { Script, type ScriptEnd } from "../support/script.ts";
import type { CloudUnderTest } from "./scenario.ts";

/** Google needs minutes where the emulator needs seconds. */
const PATIENCE_MS = 15 * 60_000;

export class RealCloud implements CloudUnderTest {
  readonly home = mkdtempSync(join(tmpdir(), "burla-gcp-"));
  readonly environment = { BURLA_HOME: this.home };
  readonly patienceMs = PATIENCE_MS;
  readonly logs = "The serial consoles of the VMs have their logs.";
  readonly #project: GoogleProject;
  readonly #cluster: string;

  constructor(project: GoogleProject, cluster: string) {
    this.#project = project;
    this.#cluster = cluster;
  }

  run(...args: string[]): Promise<ScriptEnd> {
    return Script.command(this, args).ended(PATIENCE_MS);
  }

  program(source: string, cluster: string): Script {
    return Script.start(this, source, { env: { BURLA_CLUSTER: cluster } });
  }

  refuseZone(): boolean {
    return false;
  }

  /** A VM that is deleted hears as little of it as one that is taken back without notice. */
  async takeBack(vm: string): Promise<void> {
    const found = (await this.#project.compute.listVms(this.#cluster)).find(({ name }) => name === vm);
    if (found !== undefined) await this.#project.compute.deleteVm(found.zone, vm, crypto.randomUUID());
  }

  /** Its VM is switched off and on again at once. */
  async killMain(): Promise<void> {
    const main = (await this.#project.compute.listVms(this.#cluster)).find(({ role }) => role === "main");
    if (main !== undefined) await this.#project.compute.resetVm(main.zone, main.name, crypto.randomUUID());
  }

  async resources(): Promise<string[]> {
    const { compute } = this.#project;
    return [...(await compute.listVms(this.#cluster)).map(({ name }) => name), ...(await compute.listFirewalls(this.#cluster))];
  }

  /** What the scenario has not removed, because it failed, goes too. */
  async close(): Promise<void> {
    await this.run("down", this.#cluster, "--force", "--project", this.#project.id);
    rmSync(this.home, { recursive: true, force: true });
  }
}
