/** Owns what this window knows of each cluster, and which of them is the current one. Whoever shows it listens here. */
import * as vscode from "vscode";
import { initialState, LOCAL_CLUSTER, reduce, type ClusterEvent, type ClusterRef, type ClusterState } from "./state.ts";

const CURRENT_KEY = "burla.currentCluster";

/** Where the choice is kept: one for each workspace. */
export type ChoiceStore = Pick<vscode.Memento, "get" | "update">;

export class ClusterHub implements vscode.Disposable {
  readonly #store: ChoiceStore;
  readonly #states = new Map<string, ClusterState>();
  readonly #changed = new vscode.EventEmitter<ClusterState>();
  /** With the cluster that has changed, or that has become the current one. */
  readonly onDidChange = this.#changed.event;
  #currentId: string;

  constructor(store: ChoiceStore, refs: readonly ClusterRef[]) {
    this.#store = store;
    this.#currentId = store.get<string>(CURRENT_KEY, LOCAL_CLUSTER.id);
    this.setRefs(refs);
  }

  /** In the order in which they are shown. */
  all(): readonly ClusterState[] {
    return [...this.#states.values()];
  }

  state(id: string): ClusterState {
    return this.#states.get(id) ?? initialState({ ...LOCAL_CLUSTER, id });
  }

  get current(): ClusterState {
    return this.#states.get(this.#currentId) ?? this.state(LOCAL_CLUSTER.id);
  }

  async choose(id: string): Promise<void> {
    this.#currentId = id;
    this.#changed.fire(this.current);
    await this.#store.update(CURRENT_KEY, id);
  }

  /** Those that the user has added, after the one of this machine. What is known of those that stay is kept. */
  setRefs(refs: readonly ClusterRef[]): void {
    const before = new Map(this.#states);
    this.#states.clear();
    for (const ref of [LOCAL_CLUSTER, ...refs]) this.#states.set(ref.id, { ...(before.get(ref.id) ?? initialState(ref)), ref });
    this.#changed.fire(this.current);
  }

  dispatch(id: string, event: ClusterEvent): void {
    const before = this.#states.get(id);
    if (before === undefined) return;
    const after = reduce(before, event);
    if (after === before) return;
    this.#states.set(id, after);
    this.#changed.fire(after);
  }

  /**
   * Resolves with the first state of the cluster that fits, this one or a later one.
   * @throws the signal's reason when it is aborted before.
   */
  until(id: string, fits: (state: ClusterState) => boolean, signal: AbortSignal): Promise<ClusterState> {
    return this.#until(() => this.state(id), fits, signal);
  }

  /** The same of the current cluster, whichever that is by then. */
  untilCurrent(fits: (state: ClusterState) => boolean, signal: AbortSignal): Promise<ClusterState> {
    return this.#until(() => this.current, fits, signal);
  }

  #until(stateNow: () => ClusterState, fits: (state: ClusterState) => boolean, signal: AbortSignal): Promise<ClusterState> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        listener.dispose();
        signal.removeEventListener("abort", abort);
        act();
      };
      const look = () => {
        const state = stateNow();
        if (fits(state)) settle(() => resolve(state));
      };
      const abort = () => settle(() => reject(signal.reason));
      const listener = this.onDidChange(look);
      signal.addEventListener("abort", abort);
      if (signal.aborted) abort();
      else look();
    });
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
