/**
 * Nodes without workers, all in this process: `simulated-nodes URL TOKEN COUNT`. Each takes part in the real protocol
 * and answers a grant after the time that its calls would take on one worker; the job's SIMULATED_CALL_MS says how
 * long one is.
 */
import {
  Connection, encodeValues, LEASE_RENEW_MS, mainToNode, openStream,
  type JobId, type MainToNode, type NodeId, type NodeToMain, type Of,
} from "@burla/protocol";

const DIAL_TIMEOUT_MS = 30_000;
const DIALS_AT_ONCE = 50;
/** A node with no jobs left says READY after this: fresh containers need some time. */
const REBOOT_MS = 20;

class SimulatedNode {
  private readonly nodeId: NodeId;
  private readonly callMs = new Map<JobId, number>();
  private connection: Connection<MainToNode, NodeToMain> | undefined;
  private nodeSeq = 0;
  private busyUntilMs = 0;

  constructor(number: number) {
    this.nodeId = `simulated-${number}` as NodeId;
  }

  async join(url: string, token: string): Promise<void> {
    const stream = await openStream({ url, token, role: "node", timeoutMs: DIAL_TIMEOUT_MS });
    this.connection = new Connection<MainToNode, NodeToMain>(stream, {
      incoming: mainToNode,
      software: "simulated node",
      onMessage: (message) => this.receive(message),
      onClose: () => process.exit(0),
    });
    const size = { cpu: 1, maxCpu: 1, ramMiB: 1024, maxRamMiB: 1024 };
    this.send({ type: "nodeHello", nodeId: this.nodeId, ...size, pid: process.pid, jobs: [], holding: [] });
    this.enter("READY");
    setInterval(() => this.send({ type: "renew", jobs: [...this.callMs.keys()] }), LEASE_RENEW_MS);
  }

  private send(message: NodeToMain, body: Uint8Array = new Uint8Array(0)): void {
    this.connection?.send(message, body);
  }

  private enter(state: Of<NodeToMain, "nodeState">["state"]): void {
    this.send({ type: "nodeState", state, reason: "", workers: [], preparing: [] });
  }

  private receive(message: MainToNode): void {
    if (message.type === "assign") {
      this.callMs.set(message.jobId, Number(new Map(message.spec.env).get("SIMULATED_CALL_MS")));
      this.enter("RUNNING");
    } else if (message.type === "grant") this.work(message);
    else if (message.type === "stop") this.stop(message.jobId);
  }

  /** One worker: a grant begins when the one before it is through. */
  private work(grant: Of<MainToNode, "grant">): void {
    const calls = grant.to - grant.from;
    const runMs = calls * (this.callMs.get(grant.jobId) ?? 0);
    const nowMs = performance.now();
    this.busyUntilMs = Math.max(nowMs, this.busyUntilMs) + runMs;
    if (runMs === 0) this.answer(grant, calls, 0);
    else setTimeout(() => this.answer(grant, calls, runMs), this.busyUntilMs - nowMs);
  }

  private answer({ jobId, grantId, first, from }: Of<MainToNode, "grant">, count: number, runMs: number): void {
    if (!this.callMs.has(jobId)) return;
    const values = encodeValues(Array.from({ length: count }, (_, at) => first + from + at));
    const batch = { first: first + from, count, indices: null, failed: [], final: [], valuesBytes: values.byteLength };
    this.send({ type: "nodeResults", jobId, nodeSeq: ++this.nodeSeq, grantId, ...batch, runMs }, values);
  }

  private stop(jobId: JobId): void {
    if (!this.callMs.delete(jobId) || this.callMs.size > 0) return;
    this.enter("REBOOTING");
    setTimeout(() => this.enter("READY"), REBOOT_MS);
  }
}

const [, , url = "", token = "", count = "0"] = process.argv;
const nodes = Array.from({ length: Number(count) }, (_, number) => new SimulatedNode(number));
for (let at = 0; at < nodes.length; at += DIALS_AT_ONCE) {
  await Promise.all(nodes.slice(at, at + DIALS_AT_ONCE).map((node) => node.join(url, token)));
}
process.send?.("joined");
