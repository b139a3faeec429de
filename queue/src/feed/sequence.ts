/**
 * Reads a collection that others write to, each document once and in an order that all readers agree on.
 *
 * One listens to a few documents that nobody has taken, gives them their places in the order (`taken`), and hears of the
 * next ones because those are taken no more: a window, however large the collection is. It *leads*. Who reads beside or
 * after it *follows*: first what was taken, in that order, then what is taken as it goes. A follower leads when nobody
 * has for a while. Who begins to lead, or has given no place for so long that another may lead by now, looks first which
 * places there are. Two that lead in the same moment may still give the same place twice; then one of them misses a document
 * until the end, when a follower looks at all of them again. A document says who gave it its place: that reader has given it.
 *
 * A listener may miss a change (Google's emulator does so under load) and then says nothing of it until Google's client
 * opens it anew, two minutes later: where it is quiet one looks, soon at first.
 */
import { randomId } from "../documents.ts";
import { FIRST_LOOK_MS, LOOK_FOR_LOST_MS } from "../limits.ts";
import type { DocumentStore, StoredDocument, Version, Write } from "../store.ts";
import { ConflictError, isLater } from "../store.ts";

/** Documents wait for a leader for so long before a follower leads. */
const LEADER_LOST_MS = 3_000;
/** A leader that has given no place for so long looks whether somebody else has: well before others think that it is lost. */
const LEADS_SURELY_MS = 1_000;
const PAGE = 50;
/** A listener may tell of documents that were taken a while ago: so many of them are known at least. */
const MIN_KNOWN = 1_024;
/** Of a look it is not known when it was: nothing is older. */
const LONG_AGO: Version = "0.0";

export interface SequenceOptions {
  readonly store: DocumentStore;
  readonly collection: string;
  /** Documents that are listened to, and that may be given and not taken. */
  readonly window: number;
  readonly leads: boolean;
  /** In the order of all readers. */
  readonly give: (document: StoredDocument, place: number) => void;
  readonly failed: (error: unknown) => void;
}

export class Sequence {
  readonly #options: SequenceOptions;
  readonly #readerId = randomId();
  /** Waiting for a place, by id. */
  readonly #waiting = new Map<string, StoredDocument>();
  /** Being given their places: they may be told of once more meanwhile. */
  readonly #placing = new Set<string>();
  /** Documents that have been given: by a leader as long as it may hear of them again, by a follower all. */
  readonly #known = new Map<string, Version>();
  #leads: boolean;
  #follows: boolean;
  #place = 0;
  /** When it has last given a place, or seen all that there were. */
  #placedMs = performance.now();
  #given = 0;
  #committing = false;
  #placingNow: Promise<void> = Promise.resolve();
  #closed = false;
  readonly #stops = new Set<() => void>();
  readonly #roomMade = new Set<() => void>();
  #lostTimer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #lookMs = FIRST_LOOK_MS;
  /** Snapshots that the listener has told. */
  #snapshots = 0;
  #drained: (() => void) | undefined;

  constructor(options: SequenceOptions) {
    this.#options = options;
    this.#leads = options.leads;
    this.#follows = !options.leads;
  }

  start(): void {
    const { store, collection, window } = this.#options;
    const next = (documents: readonly StoredDocument[], readAt: Version) => {
      this.#snapshots++;
      this.#lookMs = FIRST_LOOK_MS;
      this.#lookLater();
      this.#hear(documents, readAt);
    };
    this.#stops.add(store.listen({ collection, where: [["taken", "==", -1]], limit: window }, { next, failed: (error) => this.#fail(error) }));
    this.#lookLater();
    if (this.#follows) void this.#follow();
  }

  /** So many documents that were given are of no concern any more: others may follow. */
  release(documents: number): void {
    this.#given -= documents;
    this.#tellRoom();
    void this.#takePlaces();
  }

  /** Resolves when all that is there now has been given. */
  async drain(): Promise<void> {
    for (;;) {
      while (this.#waiting.size > 0 || this.#committing) await new Promise<void>((resolve) => (this.#drained = resolve));
      if (this.#closed) return;
      const untaken = await this.#untaken();
      if (untaken.length === 0) break;
      this.#leads = true;
      this.#await(untaken);
      void this.#takePlaces();
    }
    if (!this.#follows) return;
    await this.#catchUp();
    await this.#lookAtAll();
  }

  /** Resolves when no document is being given its place: places that come later would be beside those of the next reader. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#lostTimer);
    clearTimeout(this.#lookTimer);
    this.#tellRoom();
    for (const stop of this.#stops) stop();
    this.#drained?.();
    await this.#placingNow;
  }

  #await(documents: readonly StoredDocument[]): void {
    for (const document of documents) {
      if (!this.#known.has(document.id) && !this.#placing.has(document.id)) this.#waiting.set(document.id, document);
    }
  }

  #untaken(): Promise<StoredDocument[]> {
    const { store, collection, window } = this.#options;
    return store.query({ collection, where: [["taken", "==", -1]], limit: window });
  }

  #lookLater(): void {
    clearTimeout(this.#lookTimer);
    if (!this.#closed) this.#lookTimer = setTimeout(() => void this.#look(), this.#lookMs).unref();
  }

  async #look(): Promise<void> {
    this.#lookMs = Math.min(LOOK_FOR_LOST_MS, 2 * this.#lookMs);
    const snapshots = this.#snapshots;
    try {
      if (this.#given < this.#options.window) {
        const untaken = await this.#untaken();
        // What was told meanwhile is newer.
        if (snapshots === this.#snapshots && !this.#closed) this.#hear(untaken, LONG_AGO);
      }
    } catch (error) {
      return this.#fail(error);
    }
    if (snapshots === this.#snapshots) this.#lookLater();
  }

  #hear(documents: readonly StoredDocument[], readAt: Version): void {
    const there = new Set(documents.map(({ id }) => id));
    if (!this.#follows) this.#forgetKnown(there, readAt);
    let isLed = documents.length === 0;
    for (const id of this.#waiting.keys()) if (!there.has(id)) isLed = this.#waiting.delete(id);
    this.#await(documents);
    if (this.#leads) return void this.#takePlaces();
    if (isLed) {
      clearTimeout(this.#lostTimer);
      this.#lostTimer = undefined;
    }
    if (documents.length > 0) this.#lostTimer ??= setTimeout(() => {
      this.#leads = true;
      void this.#takePlaces();
    }, LEADER_LOST_MS);
  }

  /** The oldest of those that are not there any more. */
  #forgetKnown(there: ReadonlySet<string>, readAt: Version): void {
    let tooMany = this.#known.size - MIN_KNOWN;
    for (const [id, version] of this.#known) {
      if (tooMany-- <= 0) return;
      if (!there.has(id) && isLater(readAt, version)) this.#known.delete(id);
    }
  }

  /** The next documents get their places, and are given. */
  #takePlaces(): Promise<void> {
    if (this.#committing) return Promise.resolve();
    return (this.#placingNow = this.#giveNextPlaces());
  }

  async #giveNextPlaces(): Promise<void> {
    if (!this.#leads || this.#committing || this.#closed) return;
    const room = this.#options.window - this.#given;
    const next = [...this.#waiting.values()].slice(0, Math.max(0, room));
    if (next.length === 0) return this.#drained?.();
    this.#committing = true;
    for (const { id } of next) {
      this.#waiting.delete(id);
      this.#placing.add(id);
    }
    try {
      await this.#seePlaces();
      if (this.#closed) return;
      let place = this.#place;
      const writes = next.map(({ path, version }): Write => ({ op: "update", path, fields: { taken: ++place, takenBy: this.#readerId }, version }));
      const versions = await this.#options.store.commit(writes);
      for (const [at, document] of next.entries()) this.#give(document, this.#place + 1, versions[at] ?? document.version);
    } catch (error) {
      if (!(error instanceof ConflictError)) return this.#fail(error);
      // Somebody else reads too. What is still free is heard of again.
      this.#startFollowing();
    } finally {
      this.#committing = false;
      this.#placing.clear();
    }
    void this.#takePlaces();
  }

  /** Places that others have given come before those that this one gives. */
  async #seePlaces(): Promise<void> {
    if (this.#follows || performance.now() - this.#placedMs > LEADS_SURELY_MS) await this.#catchUp();
    this.#placedMs = performance.now();
  }

  #give(document: StoredDocument, place: number, version: Version): void {
    this.#place = Math.max(this.#place, place);
    if (this.#known.has(document.id) || this.#closed) return;
    this.#known.set(document.id, version);
    this.#given++;
    this.#options.give(document, place);
  }

  #startFollowing(): void {
    if (this.#follows) return;
    this.#follows = true;
    void this.#follow();
  }

  /** What has places already, page by page; then what gets one. */
  async #follow(): Promise<void> {
    try {
      while (!this.#closed) {
        await this.#catchUp();
        await this.#nextPlace();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Gives what has places behind the last one. Two that do so at once give each document once, and in order. */
  async #catchUp(): Promise<void> {
    const { store, window } = this.#options;
    while (!this.#closed) {
      await this.#hasRoom();
      const page = await store.query({ ...this.#behind(), limit: window });
      for (const document of page) this.#give(document, placeOf(document), document.version);
      if (page.length === 0) return;
    }
  }

  async #hasRoom(): Promise<void> {
    while (this.#given >= this.#options.window && !this.#closed) await new Promise<void>((resolve) => this.#roomMade.add(resolve));
  }

  #tellRoom(): void {
    for (const tell of this.#roomMade) tell();
    this.#roomMade.clear();
  }

  /** Resolves when a document has a place behind the last one, or may have one, or nobody waits for it any more. */
  async #nextPlace(): Promise<void> {
    // A listener that begins after the end would never be stopped.
    if (this.#closed) return;
    let end: () => void = () => undefined;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const stop = this.#options.store.listen({ ...this.#behind(), limit: 1 }, { next: ({ length }) => void (length > 0 && resolve()), failed: reject });
      end = () => {
        stop();
        resolve();
      };
      this.#stops.add(end);
      timer = setTimeout(resolve, LOOK_FOR_LOST_MS).unref();
    }).finally(() => {
      clearTimeout(timer);
      end();
      this.#stops.delete(end);
    });
  }

  #behind() {
    const where: [string, ">", number][] = [["taken", ">", this.#place]];
    return { collection: this.#options.collection, where, orderBy: "taken" };
  }

  async #lookAtAll(): Promise<void> {
    const { store, collection } = this.#options;
    for (let after = ""; !this.#closed; ) {
      await this.#hasRoom();
      const page = await store.query({ collection, where: [], limit: PAGE, ...(after === "" ? {} : { after }) });
      for (const document of page) if (document.fields["takenBy"] !== this.#readerId) this.#give(document, placeOf(document), document.version);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last.id;
    }
  }

  #fail(error: unknown): void {
    if (!this.#closed) this.#options.failed(error);
  }
}

function placeOf({ fields }: StoredDocument): number {
  return Number(fields["taken"] ?? 0);
}
