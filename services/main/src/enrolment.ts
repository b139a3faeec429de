/** Short-lived tokens for the nodes of VMs: each for the node that Google's signature of the VM stands for. */
import { newToken, type NodeId } from "@burla/protocol";
import type { IdentityCheck } from "@burla/protocol/gce";

/** A node asks for a new one whenever it dials. */
const TOKEN_MS = 5 * 60_000;

export interface EnrolmentOptions {
  readonly check: Pick<IdentityCheck, "vmOf">;
  readonly project: string;
  /** The node that a VM of this name is to run; null for one that main has not made. */
  readonly nodeOf: (vmName: string) => NodeId | null;
}

export class Enrolment {
  readonly #options: EnrolmentOptions;
  readonly #tokens = new Map<string, { nodeId: NodeId; expiresAt: number }>();

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  /** The node of the VM that the signed identity names; null unless main has made that VM. */
  async nodeOf(identity: string): Promise<NodeId | null> {
    const vm = await this.#options.check.vmOf(identity);
    return vm?.project === this.#options.project ? this.#options.nodeOf(vm.name) : null;
  }

  issue(nodeId: NodeId, now = Date.now()): { token: string; expiresAt: number } {
    for (const [token, { expiresAt }] of this.#tokens) if (expiresAt <= now) this.#tokens.delete(token);
    const token = newToken();
    const expiresAt = now + TOKEN_MS;
    this.#tokens.set(token, { nodeId, expiresAt });
    return { token, expiresAt };
  }

  /** Its VM is gone. */
  revoke(nodeId: NodeId): void {
    for (const [token, { nodeId: of }] of this.#tokens) if (of === nodeId) this.#tokens.delete(token);
  }

  *valid(now = Date.now()): Generator<{ nodeId: NodeId; token: string }> {
    for (const [token, { nodeId, expiresAt }] of this.#tokens) if (expiresAt > now) yield { nodeId, token };
  }
}
