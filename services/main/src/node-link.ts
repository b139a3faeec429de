/** One connected node: its frames become events, commands become its frames. No decisions. */
import type { Duplex } from "node:stream";
import {
  BurlaError, checkBatch, Connection, LEASE_RENEW_MS, nodeToMain, OPENING_MS, Pacer, POSITION_PACE, type Body, type BundleId, type MainToNode, type NodeId, type NodeToMain, type Of,
} from "@burla/protocol";
import type { Cluster } from "./cluster.ts";
import { logFault, type FaultLog } from "./fault.ts";
import type { NodeLine } from "./node-line.ts";

type Hello = Of<NodeToMain, "nodeHello">;
type State = Of<NodeToMain, "nodeState">;

export interface NodeLinkOptions {
  readonly cluster: Cluster;
  /** The only node that its token is for; null: any. */
  readonly allowed: NodeId | null;
  readonly log: FaultLog;
  readonly onClosed: (link: NodeLink) => void;
}

export class NodeLink implements NodeLine {
  readonly #connection: Connection<NodeToMain, MainToNode>;
  readonly #cluster: Cluster;
  /** The only node that its token is for; null: any. */
  readonly #allowed: NodeId | null;
  readonly #bundles = new Set<BundleId>();
  readonly #stored: Pacer<number>;
  #renewedMs = performance.now();
  #hello: Hello | undefined;
  #state: State = { type: "nodeState", state: "BOOTING", reason: "", workers: [], preparing: [] };

  constructor(stream: Duplex, { cluster, allowed, log, onClosed }: NodeLinkOptions) {
    this.#cluster = cluster;
    this.#allowed = allowed;
    this.#connection = new Connection<NodeToMain, MainToNode>(stream, {
      incoming: nodeToMain,
      software: "burla main",
      openingMs: OPENING_MS,
      onMessage: (message, body) => this.#guarded(message, body),
      onHeard: () => this.#renewByBytes(),
      onFault: (error) => logFault(log, error),
      onClose: (error, about) => {
        this.#stored.stop();
        // One of both could not make sense of what the other said of a job: it would be said again.
        if (about !== null && error?.code === "BURLA_PROTOCOL") this.#cluster.failJob(about, error);
        if (this.#hello !== undefined) this.#cluster.nodeDisconnected(this);
        onClosed(this);
      },
    });
    this.#stored = new Pacer(POSITION_PACE, (nodeSeq) => this.#connection.send({ type: "stored", nodeSeq }));
  }

  get hello(): Hello {
    if (this.#hello === undefined) throw new Error("the node has not introduced itself");
    return this.#hello;
  }

  get nodeId(): NodeId {
    return this.hello.nodeId;
  }

  get isKnown(): boolean {
    return this.#hello !== undefined;
  }

  get state(): State {
    return this.#state;
  }

  hasBundle(id: BundleId): boolean {
    return this.#bundles.has(id);
  }

  noteBundle(id: BundleId): void {
    this.#bundles.add(id);
  }

  send(message: MainToNode, ...body: Body[]): void {
    this.#connection.send(message, ...body);
  }

  replaced(reason: string): void {
    this.#connection.abort(new BurlaError("BURLA_UNREACHABLE", reason));
  }

  /** A long result on a slow line: what renews the lease waits behind it. */
  #renewByBytes(): void {
    const nowMs = performance.now();
    if (this.#hello === undefined || nowMs - this.#renewedMs < LEASE_RENEW_MS) return;
    this.#renewedMs = nowMs;
    this.#cluster.handle({ type: "renewed", nodeId: this.nodeId, jobs: [] });
  }

  /** What cannot be handled of a job ends the job; of anything else, the connection. */
  #guarded(message: NodeToMain, body: Uint8Array): void {
    try {
      this.#receive(message, body);
    } catch (error) {
      if (!("jobId" in message)) throw error;
      this.#cluster.failJob(message.jobId, error);
      if ("nodeSeq" in message) this.#stored.set(message.nodeSeq);
    }
  }

  /** @throws BurlaError BURLA_PROTOCOL, which ends the connection, when it introduces itself late or twice. */
  #receive(message: NodeToMain, body: Uint8Array): void {
    if ((message.type === "nodeHello") === this.isKnown) {
      throw new BurlaError("BURLA_PROTOCOL", `the node says ${message.type} ${this.isKnown ? "again" : "before nodeHello"}`);
    }
    if (message.type === "nodeHello") {
      if (this.#allowed !== null && message.nodeId !== this.#allowed) throw new BurlaError("BURLA_PROTOCOL", `the token of ${this.#allowed} does not fit ${message.nodeId}`);
      this.#hello = message;
      return this.#cluster.nodeConnected(this);
    }
    const { nodeId } = this;
    switch (message.type) {
      case "nodeState":
        return this.#changeState(message);
      case "nodeLeaving":
        return this.#cluster.handle({ type: "nodeLeaving", nodeId });
      case "renew":
        this.#renewedMs = performance.now();
        return this.#cluster.handle({ type: "renewed", nodeId, jobs: message.jobs });
      case "nodeResults": {
        const { jobId, grantId, runMs } = message;
        checkBatch(message, body.byteLength);
        this.#cluster.handle({ type: "resultsArrived", nodeId, jobId, grantId, batch: message, bytes: body.byteLength, runMs }, { message, body });
        return this.#stored.set(message.nodeSeq);
      }
      case "grantEnded":
        this.#cluster.handle({ ...message, nodeId });
        return this.#stored.set(message.nodeSeq);
      case "queueHeld":
        return this.#cluster.heldArrived({ ...message, nodeId });
      case "nodeCodeNeeded":
        return this.#cluster.codeNeeded(nodeId, message.jobId);
      case "loadFailed":
        this.#cluster.loadFailed(nodeId, message.jobId, Buffer.from(body));
        return this.#stored.set(message.nodeSeq);
      case "nodeLogs":
        this.#cluster.lines(message.jobId, { nodeId, sender: `${nodeId} ${this.hello.pid}`, nodeSeq: message.nodeSeq, droppedLines: message.droppedLines }, body);
        return this.#stored.set(message.nodeSeq);
    }
  }

  /** A node that has failed is none that jobs may wait for; it joins anew when it has recovered. */
  #changeState(message: State): void {
    const { nodeId } = this;
    const hadFailed = this.#state.state === "FAILED";
    const told = JSON.stringify(this.#state.preparing);
    this.#state = message;
    // What it was sent may be what it could not write down.
    if (message.state === "FAILED") this.#bundles.clear();
    if (message.state === "FAILED") this.#cluster.handle({ type: "nodeGone", nodeId });
    else if (hadFailed) this.#cluster.handle({ ...this.hello, type: "nodeJoined", jobs: [], holding: [] });
    if (message.state === "READY") this.#cluster.handle({ type: "nodeReady", nodeId });
    this.#cluster.nodeStateChanged(nodeId, JSON.stringify(message.preparing) !== told);
  }
}
