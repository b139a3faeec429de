/** One client of Firestore per place and process: it holds connections of its own. */
import type { QueuePlace } from "@burla/protocol";
import { PatientStore } from "./patient-store.ts";
import type { DocumentStore } from "./store.ts";

/** The next job of the program mostly comes soon, and a connection takes a while. */
const KEEP_OPEN_MS = 60_000;

interface Open {
  readonly store: Promise<DocumentStore>;
  users: number;
  closing: NodeJS.Timeout | undefined;
}

/** The stores of this process, by place. One that nobody uses keeps no process alive. */
export class StorePool {
  readonly #open = new Map<string, Open>();

  /** To be given back by `release`. @throws what keeps Google's client from being loaded. */
  take(place: QueuePlace): Promise<DocumentStore> {
    const key = keyOf(place);
    const known = this.#open.get(key) ?? { store: openStore(place), users: 0, closing: undefined };
    known.users++;
    clearTimeout(known.closing);
    this.#open.set(key, known);
    return known.store;
  }

  release(place: QueuePlace): void {
    const key = keyOf(place);
    const known = this.#open.get(key);
    if (known === undefined || --known.users > 0) return;
    known.closing = setTimeout(() => {
      this.#open.delete(key);
      void known.store.then((store) => store.close()).catch(() => undefined);
    }, KEEP_OPEN_MS).unref();
  }
}

/** Google's client is a file of its own in the package, of 3 MB, that only those load who have a use for it. */
export async function openStore(place: Pick<QueuePlace, "project" | "database" | "emulator">): Promise<DocumentStore> {
  const { GoogleStore } = await import("./google-store.ts");
  return new PatientStore(new GoogleStore(place));
}

/** @returns what gives a token of the application default credentials, for others of Google's services. */
export async function openToken(): Promise<() => Promise<string>> {
  const { accessTokens } = await import("./google-store.ts");
  return accessTokens();
}

function keyOf({ project, database, emulator }: QueuePlace): string {
  return JSON.stringify([project, database, emulator]);
}
