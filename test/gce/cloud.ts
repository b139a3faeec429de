/** A Compute Engine emulator whose VMs run the programs of `client/dist`, and a state folder with the `burla` command. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { statusSchema, type ClusterStatus } from "@burla/protocol";
import * as v from "valibot";
import { GceEmulator, type EmulatorOptions } from "../emulators/gce/emulator.ts";
import { Script, type ScriptEnd } from "../support/script.ts";
import type { CloudUnderTest } from "./scenario.ts";

/** VMs have a Node.js instead of containers, and their state in their own folder. */
const environmentIn = (directory: string) => ({ BURLA_VM_HOME: join(directory, "burla"), BURLA_VM_NODE: process.execPath, BURLA_VM_FETCH_SECONDS: "60" });

export interface CloudOptions extends Omit<EmulatorOptions, "environment"> {
  /** What the VMs' programs are told beside. */
  readonly env?: Record<string, string>;
}

export class Cloud implements CloudUnderTest {
  readonly patienceMs = 60_000;
  readonly home = mkdtempSync(join(tmpdir(), "burla-cloud-"));
  readonly emulator: GceEmulator;

  private constructor(emulator: GceEmulator) {
    this.emulator = emulator;
  }

  static async start({ env = {}, ...options }: CloudOptions = {}): Promise<Cloud> {
    return new Cloud(await GceEmulator.start({ environment: ({ directory }) => ({ ...environmentIn(directory), ...env }), ...options }));
  }

  /** What programs of a user need to find this cloud. */
  get environment(): Record<string, string> {
    return { ...this.emulator.environment, BURLA_HOME: this.home };
  }

  command(...args: string[]): Script {
    return Script.command(this, args, { env: this.emulator.environment });
  }

  run(...args: string[]): Promise<ScriptEnd> {
    return this.command(...args).ended();
  }

  /** With these variables alone of what the cloud says. */
  runWith(env: Record<string, string>, ...args: string[]): Promise<ScriptEnd> {
    return Script.command(this, args, { env }).ended();
  }

  program(source: string, cluster: string): Script {
    return Script.start(this, source, { env: { ...this.emulator.environment, BURLA_CLUSTER: cluster } });
  }

  refuseZone(zone: string): boolean {
    this.emulator.faults.refuse(zone, { code: "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS" });
    return true;
  }

  takeBack(vm: string): Promise<void> {
    return this.emulator.preempt(vm);
  }

  killMain(): Promise<void> {
    const main = this.emulator.processes.find(({ role, command }) => role === "main" && !command.startsWith("/bin/bash"));
    if (main === undefined) throw new Error("main's program was not found");
    process.kill(main.pid, "SIGKILL");
    return Promise.resolve();
  }

  resources(): Promise<string[]> {
    return Promise.resolve(this.emulator.resources);
  }

  async status(cluster: string): Promise<ClusterStatus> {
    const { stdout, stderr } = await this.run("status", "--cluster", cluster, "--json");
    if (stdout.trim() === "") throw new Error(stderr);
    return v.parse(statusSchema, JSON.parse(stdout));
  }

  /** What the VMs have printed so far, for whoever looks for a cause. */
  get logs(): string {
    return this.emulator.instances.map(({ resource, vm }) => `== ${resource.name} ${resource.status}\n${vm.serial}`).join("\n");
  }

  connection(cluster: string): string {
    return readFileSync(join(this.home, "clusters", cluster, "cluster.json"), "utf8");
  }

  async close(): Promise<void> {
    await this.emulator.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}
