import type { Clock } from "../../../engine/ports/clock.ts";
import { dueKey, endedAt, keyFrom, type KeyPolicy, signerAt } from "./key-schedule.ts";
import type { KeyStore, StoredKey } from "./key-store.ts";
import { newKey, type SigningKey, usableKey } from "./signing-key.ts";

export interface KeyRingOptions {
  readonly store: KeyStore;
  readonly clock: Clock;
  readonly policy: KeyPolicy;
  /** Keys that are older are read again beside the use of them (default: 5 s). */
  readonly refreshMs?: number;
  /** Nobody is served by keys that are older, unless the store can't be read (default: 10 s). */
  readonly staleMs?: number;
  /** From one look-up of an unknown key to the next (default: 1 s). */
  readonly lookUpMs?: number;
  /** Told when keys can't be read or made; what is known goes on being used. */
  readonly report: (message: string) => void;
}

/** What becomes of the keys that are there when another takes over. */
export type KeysBefore = "verify" | "withdrawn";

/**
 * The keys of all instances, as this one knows them. Nothing runs by itself: keys are read and made
 * when they are asked for, so a process that serves nobody makes none.
 */
export class KeyRing {
  readonly #options: KeyRingOptions;
  #keys: ReadonlyMap<string, SigningKey> = new Map();
  #epoch = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  /** When the last look at the store began that has come to an end, good or bad. */
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #making: Promise<void> | undefined;

  constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /** The key that signs now; the first instance that asks makes the first. */
  async signer(): Promise<SigningKey> {
    await this.#prepare();
    const { clock } = this.#options;
    const signer = () => signerAt([...this.#keys.values()], clock.nowMs());
    const found = signer();
    if (found !== undefined) return found;
    await this.#makeDue();
    return signer() ?? Promise.reject(new Error("No signing key is there after one was made."));
  }

  /**
   * The key that this id names, if tokens that it has signed can be good now. An id that isn't
   * known is looked up, once in `lookUpMs` however many are asked for: what comes in between has
   * its no at once.
   */
  async verifier(kid: string): Promise<SigningKey | undefined> {
    await this.#prepare();
    const { clock, lookUpMs = 1_000 } = this.#options;
    const mayLookUp = clock.monotonicMs() - this.#readAtMs >= lookUpMs;
    if (!this.#keys.has(kid) && (this.#reading !== undefined || mayLookUp)) await this.#read();
    const key = this.#keys.get(kid);
    return key && clock.nowMs() < key.verifiesUntilMs ? key : undefined;
  }

  /** Changes when a key goes; undefined: the keys are too old to tell. Never waits. */
  epoch(): number | undefined {
    if (this.#isStale()) return undefined;
    this.#refresh();
    return this.#epoch;
  }

  /** Those that tokens can be verified with, now or soon, the oldest first. */
  async published(): Promise<readonly SigningKey[]> {
    await this.signer();
    const nowMs = this.#options.clock.nowMs();
    return [...this.#keys.values()].filter(({ verifiesUntilMs }) => nowMs < verifiesUntilMs);
  }

  /** Makes a key that signs from now on, and ends the others. */
  async rotate(before: KeysBefore): Promise<SigningKey> {
    const { clock, store, policy } = this.#options;
    const stored = await store.change(async (keys) => {
      const nowMs = clock.nowMs();
      const ended =
        before === "withdrawn" ? [] : keys.filter(({ signsFromMs }) => signsFromMs <= nowMs);
      const kept = ended.map((key) => endedAt(key, nowMs, policy));
      return [...good(kept, nowMs), await newKey(keyFrom(nowMs, policy), nowMs)];
    });
    await this.#take(stored);
    return this.signer();
  }

  /**
   * Keys are there afterwards. Somebody who asks after a pause waits for a new look, which may show
   * that a key was withdrawn; where it fails, what is known goes on being used.
   */
  async #prepare(): Promise<void> {
    const isFirst = this.#readAtMs === Number.NEGATIVE_INFINITY || this.#reading !== undefined;
    if (this.#keys.size === 0 && isFirst) return this.#read();
    this.#refresh();
    // Its failure is told by the refresh.
    if (this.#isStale()) await this.#reading?.catch(() => undefined);
  }

  #isStale(): boolean {
    const { clock, staleMs = 10_000 } = this.#options;
    return clock.monotonicMs() - this.#lookedAtMs >= staleMs;
  }

  /** Old keys are read again, and due ones made, beside their use; failures are only told. */
  #refresh(): void {
    const { clock, refreshMs = 5_000, report } = this.#options;
    if (clock.monotonicMs() - this.#readAtMs < refreshMs) return;
    void this.#read()
      .then(() => this.#makeDue())
      .catch((error: unknown) => report(`The signing keys can't be read: ${textOf(error)}`));
  }

  /** One look at the store at a time; its begin counts, so that failures aren't asked faster. */
  #read(): Promise<void> {
    const { store, clock } = this.#options;
    this.#reading ??= (async () => {
      const first = this.#readAtMs === Number.NEGATIVE_INFINITY;
      this.#readAtMs = clock.monotonicMs();
      try {
        await this.#take(await store.keys());
      } catch (error) {
        // Nobody is served before the keys were read once: each who asks tries.
        if (first) this.#readAtMs = Number.NEGATIVE_INFINITY;
        throw error;
      } finally {
        this.#lookedAtMs = this.#readAtMs;
        this.#reading = undefined;
      }
    })();
    return this.#reading;
  }

  /** Under the store's lock, which shows whether another instance was faster. */
  #makeDue(): Promise<void> {
    const { store, clock, policy } = this.#options;
    if (dueKey([...this.#keys.values()], clock.nowMs(), policy) === undefined) {
      return Promise.resolve();
    }
    this.#making ??= (async () => {
      try {
        const stored = await store.change(async (keys) => {
          const nowMs = clock.nowMs();
          const times = dueKey(keys, nowMs, policy);
          return times && [...good(keys, nowMs), await newKey(times, nowMs)];
        });
        await this.#take(stored);
      } finally {
        this.#making = undefined;
      }
    })();
    return this.#making;
  }

  async #take(stored: readonly StoredKey[]): Promise<void> {
    const keys = await Promise.all(
      stored.map(async (key) => {
        const known = this.#keys.get(key.kid);
        const { signsFromMs, signsUntilMs, verifiesUntilMs } = key;
        return known === undefined
          ? usableKey(key)
          : { ...known, signsFromMs, signsUntilMs, verifiesUntilMs };
      }),
    );
    const taken = new Map(keys.map((key) => [key.kid, key]));
    if (![...this.#keys.keys()].every((kid) => taken.has(kid))) this.#epoch += 1;
    this.#keys = taken;
  }
}

/** Keys of which no token is left are forgotten. */
const good = (keys: readonly StoredKey[], nowMs: number): StoredKey[] =>
  keys.filter(({ verifiesUntilMs }) => nowMs < verifiesUntilMs);

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
