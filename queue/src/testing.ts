/** A store for tests of this package: the rules of documents and versions, and answers that get lost. */
import type { DocumentStore, Fields, StoredDocument, Version, Write } from "./store.ts";

/** gRPC's numbers. */
const [NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, UNAVAILABLE] = [5, 6, 9, 14];

export class Documents implements Pick<DocumentStore, "commit" | "get"> {
  readonly #documents = new Map<string, { readonly fields: Fields; readonly version: Version }>();
  /** Attempts so far. */
  commits = 0;
  /** Called when a commit was made and before it is answered; returns whether the answer is lost. */
  losesAnswer: () => boolean = () => false;

  commit(writes: readonly Write[]): Promise<Version[]> {
    this.commits++;
    const refused = writes.map((write) => this.#refusalOf(write)).find((code) => code !== null);
    if (refused != null) return Promise.reject(refusal(refused));
    const version = `${this.commits}.0`;
    for (const write of writes) {
      if (write.op === "delete") this.#documents.delete(write.path);
      else this.#documents.set(write.path, { fields: { ...(write.op === "update" && this.#documents.get(write.path)?.fields), ...write.fields }, version });
    }
    return this.losesAnswer() ? Promise.reject(refusal(UNAVAILABLE)) : Promise.resolve(writes.map(() => version));
  }

  get(paths: readonly string[]): Promise<(StoredDocument | null)[]> {
    return Promise.resolve(paths.map((path) => this.#read(path)));
  }

  /** Paths of the documents below this one, in no order. */
  below(path: string): string[] {
    return [...this.#documents.keys()].filter((key) => key.startsWith(`${path}/`));
  }

  /** For classes that want all of a store and use no more. */
  get asStore(): DocumentStore {
    return this as unknown as DocumentStore;
  }

  #read(path: string): StoredDocument | null {
    const document = this.#documents.get(path);
    return document === undefined ? null : { path, id: path.split("/").at(-1) ?? "", ...document };
  }

  #refusalOf(write: Write): number | null {
    const there = this.#documents.get(write.path);
    if (write.op === "create" && there !== undefined) return ALREADY_EXISTS;
    if (write.op === "update" && there === undefined) return NOT_FOUND;
    const version = write.op === "update" || write.op === "delete" ? write.version : undefined;
    return version !== undefined && there?.version !== version ? FAILED_PRECONDITION : null;
  }
}

export function refusal(code: number): Error {
  return Object.assign(new Error(`code ${code}`), { code });
}
