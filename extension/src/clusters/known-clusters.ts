/**
 * The clusters beside the one of this machine: those on Google Cloud by the names that the state folder has, and those that the
 * user has added, names and addresses in the settings, tokens in the editor's secret storage.
 */
import * as vscode from "vscode";
import { SETTINGS } from "../contributions.ts";
import { cloudRef, type ClusterRef } from "./state.ts";
import { normalizeUrl, refsFrom, type ClusterSetting } from "./cluster-setting.ts";
import type { Target } from "./watchers.ts";

const CLOUD_KEY = "burla.cloudClusters";
const secretKey = (url: string) => `burla.token ${url}`;

export class KnownClusters {
  readonly #secrets: vscode.SecretStorage;
  readonly #memory: vscode.Memento;

  constructor(secrets: vscode.SecretStorage, memory: vscode.Memento) {
    this.#secrets = secrets;
    this.#memory = memory;
  }

  refs(): ClusterRef[] {
    return [...this.cloud().map(cloudRef), ...refsFrom(this.#settings())];
  }

  /** Names of those on Google Cloud. Kept, so that a window knows them before it has looked into the state folder. */
  cloud(): readonly string[] {
    return this.#memory.get<string[]>(CLOUD_KEY, []);
  }

  async setCloud(names: readonly string[]): Promise<void> {
    await this.#memory.update(CLOUD_KEY, [...new Set(names)].sort());
  }

  /** @throws Error when the cluster's token is not there. */
  async target(id: string): Promise<Target> {
    if (normalizeUrl(id) === null) return id;
    const token = await this.#secrets.get(secretKey(id));
    if (token === undefined) throw new MissingToken(id);
    return { url: id, token };
  }

  /** Adds it, or changes the name or token of one that is known. */
  async add({ name, url }: ClusterSetting, token: string): Promise<void> {
    await this.#secrets.store(secretKey(url), token);
    const others = refsFrom(this.#settings()).filter(({ id }) => id !== url);
    await this.#save([...others.map(({ label, id }) => ({ name: label, url: id })), { name, url }]);
  }

  async remove(url: string): Promise<void> {
    const others = refsFrom(this.#settings()).filter(({ id }) => id !== url);
    await this.#save(others.map(({ label, id }) => ({ name: label, url: id })));
    await this.#secrets.delete(secretKey(url));
  }

  onDidChange(listener: () => void): vscode.Disposable {
    return vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(SETTINGS.clusters)) listener();
    });
  }

  #settings(): unknown {
    return vscode.workspace.getConfiguration().get<unknown>(SETTINGS.clusters);
  }

  async #save(clusters: readonly ClusterSetting[]): Promise<void> {
    await vscode.workspace.getConfiguration().update(SETTINGS.clusters, clusters, vscode.ConfigurationTarget.Global);
  }
}

class MissingToken extends Error {
  readonly code = "BURLA_UNAUTHORIZED";
  readonly cure = "Try again: that asks for it.";

  constructor(url: string) {
    super(`the token of the cluster at ${url} is not known on this machine`);
  }
}
