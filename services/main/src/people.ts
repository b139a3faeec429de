/** Who may use the cluster beside its owner: names, roles and the hashes of their tokens, in a file of the state folder. */
import * as v from "valibot";
import { newPersonSchema, newToken, type NewPerson } from "@burla/protocol";
import { hashOf, type PersonRole } from "./auth.ts";
import type { OpenFiles } from "./store/open-files.ts";
import { readSealed, writeSealed } from "./store/sealed-file.ts";

const DAMAGED_CURE = "Put back a copy of it. Or remove it: then nobody but the owner may use the cluster, until they are added anew. If you have changed it yourself, remove its last line.";
const fileSchema = v.array(v.object({ ...newPersonSchema.entries, hash: v.string() }));

export class People {
  readonly #path: string;
  readonly #files: OpenFiles;
  /** Null where the owner's token is known otherwise. */
  readonly #ownerHash: string | null;
  readonly #people: Map<string, NewPerson & { hash: string }>;

  /** @throws DamageError for a file that is not what was written: it must not become an empty list; BurlaError BURLA_STORAGE. */
  constructor(path: string, ownerHash: string | null, files: OpenFiles) {
    this.#path = path;
    this.#files = files;
    this.#ownerHash = ownerHash;
    this.#people = new Map((readSealed(path, fileSchema, files, DAMAGED_CURE) ?? []).map((person) => [person.name, person]));
  }

  *hashes(): Generator<{ role: PersonRole; hash: string }> {
    if (this.#ownerHash !== null) yield { role: "owner", hash: this.#ownerHash };
    yield* this.#people.values();
  }

  list(): NewPerson[] {
    return [...this.#people.values()].map(({ name, role }) => ({ name, role }));
  }

  /** @returns the token, which is told this once. Of somebody who is there already the old one ends. */
  add({ name, role }: NewPerson): string {
    const token = newToken();
    this.#people.set(name, { name, role, hash: hashOf(token) });
    this.#write();
    return token;
  }

  /** @returns whether there was such a person. */
  remove(name: string): boolean {
    const was = this.#people.delete(name);
    if (was) this.#write();
    return was;
  }

  #write(): void {
    writeSealed(this.#path, [...this.#people.values()], this.#files);
  }
}
