import type {
  DeadLetter,
  DeadLetters,
  LetterAsk,
  LetterCount,
  LetterFilter,
  LetterPlace,
  LetterSelection,
  LetterSettlement,
  LettersOfKey,
  ParkedKey,
  StoredDeadLetter,
} from "../ports/dead-letters.ts";

/** What flushes of the memory stores do with letters. */
export interface LetterSink {
  add(letters: readonly DeadLetter[]): void;
  /** Are all of these letters open still? */
  areOpen(settlements: readonly LetterSettlement[]): boolean;
  settle(settlements: readonly LetterSettlement[]): void;
}

/** Dead letters in memory: the exact reference of the port. */
export class MemoryDeadLetters implements DeadLetters, LetterSink {
  readonly #letters: StoredDeadLetter[] = [];
  readonly #nowMs: () => number;

  /** `nowMs` dates the letters: milliseconds since 1970. */
  constructor(options: { readonly nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => 0);
  }

  add(letters: readonly DeadLetter[]): void {
    const now = new Date(this.#nowMs());
    for (const letter of letters) {
      this.#letters.push({
        ...copied(letter),
        id: BigInt(this.#letters.length + 1),
        firstAt: now,
        lastAt: now,
        attempts: letter.disposition === "failed" ? 1 : 0,
        asked: undefined,
        asks: 0,
        settledAt: undefined,
        reason: undefined,
      });
    }
  }

  areOpen(settlements: readonly LetterSettlement[]): boolean {
    return settlements.every(({ id }) => {
      const letter = this.#letters[Number(id) - 1];
      return letter !== undefined && isOpen(letter);
    });
  }

  settle(settlements: readonly LetterSettlement[]): void {
    const now = new Date(this.#nowMs());
    for (const settlement of settlements) {
      this.#change(settlement.id, (letter) => settled(letter, settlement, now));
    }
  }

  async parked(place: LetterPlace): Promise<readonly ParkedKey[]> {
    const keys = new Map<
      string | null,
      { key: Uint8Array | null; failed: number; waiting: number }
    >();
    for (const { key, disposition } of this.#letters.filter((one) => isAt(one, place))) {
      if (disposition !== "failed" && disposition !== "waiting") continue;
      const found = keys.get(textOf(key)) ?? { key: bytes(key), failed: 0, waiting: 0 };
      found[disposition] += 1;
      keys.set(textOf(key), found);
    }
    return [...keys.values()];
  }

  async open(of: LettersOfKey, limit: number): Promise<readonly StoredDeadLetter[]> {
    return this.#letters
      .filter((one) => isOpen(one) && isAt(one, of) && textOf(one.key) === textOf(of.key))
      .filter(({ key, asked }) => key !== null || asked !== undefined)
      .sort((a, b) => (a.offset < b.offset ? -1 : 1))
      .slice(0, limit)
      .map(copied);
  }

  async ask(letters: LetterSelection, ask: LetterAsk, limit: number): Promise<readonly bigint[]> {
    const ids = this.#letters
      .filter((one) => one.disposition === "failed" && isSelected(one, letters))
      .slice(0, limit)
      .map(({ id }) => id);
    for (const id of ids) {
      this.#change(id, (letter) => ({ ...letter, asked: { ...ask }, asks: letter.asks + 1 }));
    }
    return ids;
  }

  async asked(limit: number): Promise<readonly LettersOfKey[]> {
    const keys = new Map<string, LettersOfKey>();
    for (const one of this.#letters) {
      if (one.asked === undefined) continue;
      const { consumer, generation, topic, partition } = one;
      const place = { consumer, generation, topic, partition };
      const of = JSON.stringify([consumer, generation, topic, partition, textOf(one.key)]);
      if (!keys.has(of)) keys.set(of, { ...place, key: bytes(one.key) });
    }
    return [...keys.values()].slice(0, limit);
  }

  async unanswered(ids: readonly bigint[]): Promise<number> {
    return ids.filter((id) => this.#letters[Number(id) - 1]?.asked !== undefined).length;
  }

  async find(id: bigint): Promise<StoredDeadLetter | undefined> {
    const letter = this.#letters[Number(id) - 1];
    return letter && copied(letter);
  }

  async list(filter: LetterFilter): Promise<readonly StoredDeadLetter[]> {
    const { after = 0n, limit } = filter;
    return this.#letters
      .filter(({ id }) => id > after)
      .filter(({ consumer }) => (filter.consumer ?? consumer) === consumer)
      .filter(({ disposition }) => (filter.disposition ?? disposition) === disposition)
      .slice(0, limit)
      .map(copied);
  }

  async counts(): Promise<readonly LetterCount[]> {
    const groups = new Map<string, StoredDeadLetter[]>();
    for (const letter of this.#letters) {
      const key = `${letter.consumer} ${letter.disposition}`;
      groups.set(key, [...(groups.get(key) ?? []), letter]);
    }
    return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, of]) => countOf(of));
  }

  #change(id: bigint, change: (letter: StoredDeadLetter) => StoredDeadLetter): void {
    const letter = this.#letters[Number(id) - 1];
    if (letter !== undefined) this.#letters[Number(id) - 1] = change(letter);
  }
}

function settled(
  letter: StoredDeadLetter,
  settlement: LetterSettlement,
  now: Date,
): StoredDeadLetter {
  const { disposition, tries, failure, reason, asks, asking } = settlement;
  const open = disposition === "failed" || disposition === "waiting";
  return {
    ...letter,
    ...failure,
    disposition,
    attempts: letter.attempts + tries,
    lastAt: tries > 0 ? now : letter.lastAt,
    reason: reason ?? letter.reason,
    asked: asks === letter.asks || !open ? asking : letter.asked,
    settledAt: open ? undefined : now,
  };
}

function countOf(letters: readonly StoredDeadLetter[]): LetterCount[] {
  const [first] = letters;
  if (first === undefined) return [];
  const keys = new Set(
    letters
      .filter(({ key }) => key !== null)
      .map((one) => JSON.stringify([one.generation, one.topic, one.partition, textOf(one.key)])),
  );
  const { consumer, disposition } = first;
  return [{ consumer, disposition, letters: letters.length, keys: keys.size }];
}

const isOpen = ({ disposition }: StoredDeadLetter): boolean =>
  disposition === "failed" || disposition === "waiting";

const isAt = (one: LetterPlace, other: LetterPlace): boolean =>
  one.consumer === other.consumer &&
  one.generation === other.generation &&
  one.topic === other.topic &&
  one.partition === other.partition;

function isSelected(letter: StoredDeadLetter, letters: LetterSelection): boolean {
  switch (letters.kind) {
    case "one":
      return letter.id === letters.id;
    case "consumer":
      return letter.consumer === letters.consumer;
    case "all":
      return true;
    default:
      return letters satisfies never;
  }
}

/** Bytes as text that no two different byte strings share. */
const textOf = (key: Uint8Array | null): string | null =>
  key && Buffer.from(key).toString("latin1");

const bytes = (given: Uint8Array | null): Buffer | null => given && Buffer.from(given);

function copied<Letter extends DeadLetter | StoredDeadLetter>(letter: Letter): Letter {
  return {
    ...letter,
    key: bytes(letter.key),
    value: bytes(letter.value),
    headers: letter.headers.map(({ name, value }) => ({ name, value: bytes(value) })),
  };
}
