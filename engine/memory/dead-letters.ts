import type {
  DeadLetter,
  DeadLetters,
  EditVerdict,
  LetterAct,
  LetterCount,
  LetterCriteria,
  LetterEdit,
  LetterFeed,
  LetterFilter,
  LetterGroup,
  LetterOrder,
  LetterOrderRequest,
  LetterPlace,
  LetterSettlement,
  LettersOfKey,
  LetterSurvey,
  OpenLetters,
  OpenLettersMax,
  ParkedKey,
  StoredDeadLetter,
} from "../ports/dead-letters.ts";
import {
  groupsOf,
  type HeldLetter,
  isAt,
  isOfKey,
  isOpen,
  matches,
  surveyOf,
  textOf,
} from "./letter-matching.ts";
import { LetterOrders } from "./letter-orders.ts";

/** What flushes of the memory stores do with letters. */
export interface LetterSink {
  add(letters: readonly DeadLetter[]): void;
  /** Are all of these letters open still? */
  areOpen(settlements: readonly LetterSettlement[]): boolean;
  settle(settlements: readonly LetterSettlement[]): void;
}

/** What an order asks for at once. */
const releaseMax = 10_000;

/** Dead letters in memory: the exact reference of the port. */
export class MemoryDeadLetters implements DeadLetters, LetterFeed, LetterSink {
  readonly #letters: HeldLetter[] = [];
  readonly #acts = new Map<bigint, LetterAct[]>();
  /** By letter: the disposition that was published last. */
  readonly #published = new Map<bigint, string>();
  readonly #orders: LetterOrders;
  readonly #nowMs: () => number;
  #publishing = false;

  /** `nowMs` dates the letters: milliseconds since 1970. */
  constructor(options: { readonly nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => 0);
    this.#orders = new LetterOrders({
      letters: this.#letters,
      nowMs: this.#nowMs,
      ask: (letter, order) => this.#ask(letter, order),
    });
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
        edit: undefined,
        order: undefined,
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

  async open(of: readonly LettersOfKey[], max: OpenLettersMax): Promise<OpenLetters> {
    const all = of.flatMap((key) =>
      this.#letters
        .filter((one) => isOpen(one) && isOfKey(one, key))
        .filter(({ key: own, asked }) => own !== null || asked !== undefined)
        .sort((a, b) => (a.offset < b.offset ? -1 : 1)),
    );
    let size = 0;
    const fitting = all.filter((one, index) => {
      size += (one.edit?.value ?? one.value)?.length ?? 0;
      return index < 2 || (index < max.letters && size <= max.bytes);
    });
    return { letters: fitting.map(told), more: fitting.length < all.length };
  }

  async order(request: LetterOrderRequest): Promise<LetterOrder> {
    return this.#orders.add({ ...request }, releaseMax);
  }

  async release(limit: number): Promise<number> {
    return this.#orders.release(limit);
  }

  async stopOrder(id: bigint, by: string): Promise<boolean> {
    return this.#orders.stop(id, by);
  }

  async findOrder(id: bigint): Promise<LetterOrder | undefined> {
    return this.#orders.find(id);
  }

  async orders(limit: number): Promise<readonly LetterOrder[]> {
    return this.#orders.newest(limit);
  }

  async edit(id: bigint, edit: Omit<LetterEdit, "at">): Promise<EditVerdict> {
    const letter = this.#letters[Number(id) - 1];
    if (letter === undefined) return "unknown";
    if (letter.disposition === "waiting") return "waiting";
    if (letter.disposition !== "failed") return "settled";
    if (letter.asked !== undefined) return "asked";
    const at = new Date(this.#nowMs());
    const value = Buffer.from(edit.value);
    const { by, reason } = edit;
    this.#change(id, (one) => ({ ...one, edit: { value, by, reason, at } }));
    this.#note(id, { at, act: "edit", by, reason, order: undefined, value });
    return "edited";
  }

  async acts(id: bigint, limit: number): Promise<readonly LetterAct[]> {
    return (this.#acts.get(id) ?? []).slice(0, limit);
  }

  async asked(
    limit: number,
    of?: readonly Pick<LetterPlace, "consumer" | "generation">[],
  ): Promise<readonly LettersOfKey[]> {
    const keys: LettersOfKey[] = [];
    for (const one of this.#letters) {
      if (of && !of.some((build) => isBuild(one, build))) continue;
      if (one.asked === undefined || keys.some((of) => isOfKey(one, of))) continue;
      const { consumer, generation, topic, partition } = one;
      keys.push({ consumer, generation, topic, partition, key: bytes(one.key) });
    }
    return keys.slice(0, limit);
  }

  async find(id: bigint): Promise<StoredDeadLetter | undefined> {
    const letter = this.#letters[Number(id) - 1];
    return letter && told(letter);
  }

  async list(filter: LetterFilter): Promise<readonly StoredDeadLetter[]> {
    const { after = 0n, limit } = filter;
    return this.#letters
      .filter((letter) => letter.id > after && matches(letter, filter))
      .slice(0, limit)
      .map(told);
  }

  async groups(criteria: LetterCriteria, limit: number): Promise<readonly LetterGroup[]> {
    return groupsOf(this.#letters, criteria).slice(0, limit);
  }

  async survey(criteria: LetterCriteria, keysMax: number): Promise<LetterSurvey> {
    return surveyOf(this.#letters, criteria, keysMax);
  }

  async counts(): Promise<readonly LetterCount[]> {
    const groups = new Map<string, StoredDeadLetter[]>();
    for (const letter of this.#letters) {
      const key = `${letter.consumer} ${letter.disposition}`;
      groups.set(key, [...(groups.get(key) ?? []), letter]);
    }
    return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, of]) => countOf(of));
  }

  async publish(
    limit: number,
    publish: (letters: readonly StoredDeadLetter[]) => Promise<void>,
  ): Promise<number | "elsewhere"> {
    if (this.#publishing) return "elsewhere";
    const news = this.#letters
      .filter(({ id, disposition }) => this.#published.get(id) !== disposition)
      .slice(0, limit)
      .map(told);
    if (news.length === 0) return 0;
    this.#publishing = true;
    try {
      await publish(news);
    } finally {
      this.#publishing = false;
    }
    for (const { id, disposition } of news) this.#published.set(id, disposition);
    return news.length;
  }

  #ask({ id }: HeldLetter, { id: order, action, by, reason }: LetterOrder): void {
    this.#change(id, (one) => ({ ...one, asked: { action, reason }, asks: one.asks + 1, order }));
    const at = new Date(this.#nowMs());
    this.#note(id, { at, act: action, by, reason, order, value: undefined });
  }

  #note(id: bigint, act: LetterAct): void {
    this.#acts.set(id, [...(this.#acts.get(id) ?? []), act]);
  }

  #change(id: bigint, change: (letter: HeldLetter) => HeldLetter): void {
    const letter = this.#letters[Number(id) - 1];
    if (letter !== undefined) this.#letters[Number(id) - 1] = change(letter);
  }
}

function settled(letter: HeldLetter, settlement: LetterSettlement, now: Date): HeldLetter {
  const { disposition, tries, failure, reason, asks, asking } = settlement;
  const open = isOpen(settlement);
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

const isBuild = (one: LetterPlace, build: Pick<LetterPlace, "consumer" | "generation">): boolean =>
  one.consumer === build.consumer && one.generation === build.generation;

const bytes = (given: Uint8Array | null): Buffer | null => given && Buffer.from(given);

/** As callers see it: without what only this store knows of it. */
function told(held: HeldLetter): StoredDeadLetter {
  const letter: StoredDeadLetter & { order?: unknown } = copied(held);
  delete letter.order;
  return letter;
}

function copied<Letter extends DeadLetter | StoredDeadLetter>(letter: Letter): Letter {
  return {
    ...letter,
    key: bytes(letter.key),
    value: bytes(letter.value),
    headers: letter.headers.map(({ name, value }) => ({ name, value: bytes(value) })),
  };
}
