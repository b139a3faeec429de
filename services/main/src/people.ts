/** Who may use the cluster beside its owner: names, roles and the hashes of their tokens, in a file of the state folder. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { newPersonSchema, newToken, type NewPerson } from "@burla/protocol";
import { hashOf, type PersonRole } from "./auth.ts";
import type { OpenFiles } from "./store/open-files.ts";
import { readSealed, writeSealed } from "./store/sealed-file.ts";

const ID_BYTES = 6;
const DAMAGED_CURE = "Put back a copy of it. Or remove it: then nobody but the owner may use the cluster, until they are added anew. If you have changed it yourself, remove its last line.";

/** `id`: whose a job is. Somebody who is let in again under the same name is somebody else. A file of an earlier build has none. */
const fileSchema = v.array(v.object({ ...newPersonSchema.entries, id: v.optional(v.string()), hash: v.string() }));

interface Person extends NewPerson {
  readonly id: string;
  readonly hash: string;
}

/** Somebody whose token has ended, and what they may from now on; null for nothing. */
export interface TokenEnded {
  readonly id: string;
  readonly name: string;
  readonly role: PersonRole | null;
}

export interface PeopleOptions {
  readonly path: string;
  readonly files: OpenFiles;
  /** Null where the owner's token is known otherwise. */
  readonly ownerHash: string | null;
  /** Told when it is on disk. */
  readonly onTokenEnded: (ended: TokenEnded) => void;
}

export class People {
  readonly #options: PeopleOptions;
  #people: ReadonlyMap<string, Person>;

  /** @throws DamageError for a file that is not what was written: it must not become an empty list; BurlaError BURLA_STORAGE. */
  constructor(options: PeopleOptions) {
    this.#options = options;
    const people = readSealed(options.path, fileSchema, options.files, DAMAGED_CURE) ?? [];
    this.#people = new Map(people.map(({ id, ...person }) => [person.name, { ...person, id: id ?? person.name }]));
  }

  *hashes(): Generator<{ role: PersonRole; id: string | null; hash: string }> {
    const { ownerHash } = this.#options;
    if (ownerHash !== null) yield { role: "owner", id: null, hash: ownerHash };
    yield* this.#people.values();
  }

  list(): NewPerson[] {
    return [...this.#people.values()].map(({ name, role }) => ({ name, role }));
  }

  /**
   * @returns the token, which is told this once. Of somebody who is there already the old one ends.
   * @throws BurlaError BURLA_STORAGE when it cannot be written down: then all is as before.
   */
  add({ name, role }: NewPerson): string {
    const token = newToken();
    const before = this.#people.get(name);
    const id = before?.id ?? `${name}#${randomBytes(ID_BYTES).toString("hex")}`;
    this.#change(new Map(this.#people).set(name, { name, role, id, hash: hashOf(token) }));
    if (before !== undefined) this.#options.onTokenEnded({ id, name, role });
    return token;
  }

  /**
   * @returns whether there was such a person.
   * @throws BurlaError BURLA_STORAGE when it cannot be written down: then all is as before.
   */
  remove(name: string): boolean {
    const before = this.#people.get(name);
    if (before === undefined) return false;
    const left = new Map(this.#people);
    left.delete(name);
    this.#change(left);
    this.#options.onTokenEnded({ id: before.id, name, role: null });
    return true;
  }

  /** The disk first: what is in memory alone would come back with the next main. */
  #change(people: ReadonlyMap<string, Person>): void {
    writeSealed(this.#options.path, [...people.values()], this.#options.files);
    this.#people = people;
  }
}
