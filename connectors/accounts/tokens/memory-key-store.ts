import type { KeyStore, StoredKey } from "./key-store.ts";

/** Keys in memory, for tests: instances that share one store share the keys. */
export class MemoryKeyStore implements KeyStore {
  #keys: readonly StoredKey[] = [];
  #last: Promise<unknown> = Promise.resolve();

  async keys(): Promise<readonly StoredKey[]> {
    return this.#keys;
  }

  change(of: Parameters<KeyStore["change"]>[0]): Promise<readonly StoredKey[]> {
    const changed = this.#last.then(
      async () => (this.#keys = (await of(this.#keys)) ?? this.#keys),
    );
    this.#last = changed.catch(() => undefined);
    return changed;
  }
}
