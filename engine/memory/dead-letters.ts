import type { DeadLetter, DeadLetters, StoredDeadLetter } from "../ports/dead-letters.ts";

/** Dead letters in memory. Flushes of the memory stores write them through `add`. */
export class MemoryDeadLetters implements DeadLetters {
  readonly #letters: StoredDeadLetter[] = [];
  readonly #nowMs: () => number;

  /** `nowMs` dates the letters: milliseconds since 1970. */
  constructor(options: { readonly nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => 0);
  }

  add(letters: readonly DeadLetter[]): void {
    for (const letter of letters) {
      const id = BigInt(this.#letters.length + 1);
      this.#letters.push({ ...copyLetter(letter), id, at: new Date(this.#nowMs()) });
    }
  }

  async parkedKeys(
    consumer: string,
    topic: string,
    partition: number,
  ): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for (const letter of this.#letters) {
      if (letter.key === null || letter.consumer !== consumer) continue;
      if (letter.topic !== topic || letter.partition !== partition) continue;
      keys.add(Buffer.from(letter.key).toString("utf8"));
    }
    return keys;
  }

  async list(options: {
    readonly consumer?: string;
    readonly after?: bigint;
    readonly limit: number;
  }): Promise<readonly StoredDeadLetter[]> {
    const after = options.after ?? 0n;
    return this.#letters
      .filter(({ id }) => id > after)
      .filter(({ consumer }) => (options.consumer ?? consumer) === consumer)
      .slice(0, options.limit)
      .map((letter) => ({ ...copyLetter(letter), id: letter.id, at: letter.at }));
  }

  async counts(): Promise<readonly { consumer: string; disposition: string; letters: number }[]> {
    const counts = new Map<string, { consumer: string; disposition: string; letters: number }>();
    for (const { consumer, disposition } of this.#letters) {
      const key = `${consumer} ${disposition}`;
      const count = counts.get(key) ?? { consumer, disposition, letters: 0 };
      counts.set(key, { ...count, letters: count.letters + 1 });
    }
    return [...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
  }
}

const copyBytes = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes);

function copyLetter(letter: DeadLetter): DeadLetter {
  return {
    ...letter,
    key: copyBytes(letter.key),
    value: copyBytes(letter.value),
    headers: letter.headers.map(({ name, value }) => ({ name, value: copyBytes(value) })),
  };
}
