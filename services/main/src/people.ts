/** Who may use the cluster beside its owner: names, roles and the hashes of their tokens, in a file of the state folder. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { newPersonSchema, newToken, type NewPerson } from "@burla/protocol";
import { hashOf, type PersonRole } from "./auth.ts";

const fileSchema = v.array(v.object({ ...newPersonSchema.entries, hash: v.string() }));

export class People {
  readonly #path: string;
  /** Null where the owner's token is known otherwise. */
  readonly #ownerHash: string | null;
  readonly #people: Map<string, NewPerson & { hash: string }>;

  constructor(path: string, ownerHash: string | null) {
    this.#path = path;
    this.#ownerHash = ownerHash;
    this.#people = new Map(read(path).map((person) => [person.name, person]));
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
    writeFileSync(`${this.#path}.part`, JSON.stringify([...this.#people.values()]), { mode: 0o600 });
    renameSync(`${this.#path}.part`, this.#path);
  }
}

function read(path: string): v.InferOutput<typeof fileSchema> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return v.parse(fileSchema, JSON.parse(text));
}
