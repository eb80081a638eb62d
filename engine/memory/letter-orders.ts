import type { LetterOrder, LetterOrderRequest, LetterOrderState } from "../ports/dead-letters.ts";
import { type HeldLetter, isOfKey, matches } from "./letter-matching.ts";

interface HeldOrder {
  readonly id: bigint;
  readonly at: Date;
  readonly request: LetterOrderRequest;
  readonly matched: number;
  /** Letters after this one came later, and aren't meant. */
  readonly lastId: bigint;
  state: LetterOrderState;
  stopped: LetterOrder["stopped"];
  asked: number;
  /** Id of the last letter that was asked for. */
  cursor: bigint;
  /** Letters that may be asked for now; below 0: what waited behind the last was more. */
  allowance: number;
  filledAtMs: number;
}

export interface LetterOrdersOptions {
  readonly letters: readonly HeldLetter[];
  readonly nowMs: () => number;
  readonly ask: (letter: HeldLetter, order: LetterOrder) => void;
}

/** The orders of the memory store. */
export class LetterOrders {
  readonly #orders: HeldOrder[] = [];
  readonly #options: LetterOrdersOptions;

  constructor(options: LetterOrdersOptions) {
    this.#options = options;
  }

  add(request: LetterOrderRequest, releaseMax: number): LetterOrder {
    const { letters, nowMs } = this.#options;
    const held: HeldOrder = {
      id: BigInt(this.#orders.length + 1),
      at: new Date(nowMs()),
      request,
      matched: letters.filter((one) => isMeant(one, request)).length,
      lastId: BigInt(letters.length),
      state: "open",
      stopped: undefined,
      asked: 0,
      cursor: 0n,
      allowance: 1,
      filledAtMs: nowMs(),
    };
    this.#orders.push(held);
    this.#release(held, releaseMax);
    return this.#told(held);
  }

  release(limit: number): number {
    let asked = 0;
    for (const order of this.#orders) {
      if (order.state === "open" && asked < limit) asked += this.#release(order, limit - asked);
    }
    return asked;
  }

  stop(id: bigint, by: string): boolean {
    const order = this.#orders[Number(id) - 1];
    if (order?.state !== "open") return false;
    order.state = "stopped";
    order.stopped = { by, at: new Date(this.#options.nowMs()) };
    return true;
  }

  find(id: bigint): LetterOrder | undefined {
    const order = this.#orders[Number(id) - 1];
    return order && this.#told(order);
  }

  newest(limit: number): readonly LetterOrder[] {
    return this.#orders
      .toReversed()
      .slice(0, limit)
      .map((order) => this.#told(order));
  }

  #release(order: HeldOrder, limit: number): number {
    const { letters, ask } = this.#options;
    this.#fill(order);
    const { lettersPerSecond } = order.request;
    let asked = 0;
    for (const letter of letters) {
      if (letter.id <= order.cursor || letter.id > order.lastId) continue;
      if (!isMeant(letter, order.request)) continue;
      if (asked >= limit || (lettersPerSecond !== undefined && order.allowance < 1)) return asked;
      order.allowance -= 1 + this.#behind(letter);
      order.cursor = letter.id;
      order.asked += 1;
      asked += 1;
      ask(letter, this.#told(order));
    }
    order.state = "asked";
    return asked;
  }

  /** At most a second's letters are made up for. */
  #fill(order: HeldOrder): void {
    const rate = order.request.lettersPerSecond ?? 0;
    const nowMs = this.#options.nowMs();
    const earned = ((nowMs - order.filledAtMs) / 1_000) * rate;
    order.allowance = Math.min(Math.max(rate, 1), order.allowance + earned);
    order.filledAtMs = nowMs;
  }

  #behind(letter: HeldLetter): number {
    if (letter.key === null) return 0;
    return this.#options.letters.filter(
      (one) => one.disposition === "waiting" && one.offset > letter.offset && isOfKey(one, letter),
    ).length;
  }

  #told({ id, at, request, matched, state, stopped, asked }: HeldOrder): LetterOrder {
    const own = this.#options.letters.filter(({ order }) => order === id);
    const done = (disposition: string): number =>
      own.filter((one) => one.asked === undefined && one.disposition === disposition).length;
    return {
      ...request,
      id,
      at,
      state,
      stopped,
      matched,
      asked,
      unanswered: own.filter((one) => one.asked !== undefined).length,
      redriven: done("redriven"),
      discarded: done("discarded"),
      failed: done("failed") + done("waiting"),
    };
  }
}

const isMeant = (letter: HeldLetter, { letters }: LetterOrderRequest): boolean =>
  letter.disposition === "failed" && matches(letter, letters);
