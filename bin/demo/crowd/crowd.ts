import type { Clock } from "../../../engine/ports/clock.ts";
import type { KeyedCommand, KeyedSender, Settled } from "./keyed-sender.ts";
import { Latencies } from "./latencies.ts";
import type { Wish } from "./schedule.ts";
import { nothingTold, seatOf, type Told } from "./told.ts";

export interface CrowdOptions {
  /** In order of time. */
  readonly wishes: readonly Wish[];
  readonly sender: KeyedSender;
  readonly clock: Clock;
  /** Headers by which a student's requests are known as his. */
  readonly authorisation: (studentId: string) => Readonly<Record<string, string>>;
  /** Between two looks for wishes that are due. */
  readonly tickMs?: number;
}

/** The server may have died between the seat and its payment's request: it is asked for anew. */
const cardTriesMax = 10;

/**
 * The students: each comes at his time, registers, pays, and perhaps withdraws. What they are told
 * is kept.
 */
export class Crowd {
  readonly told: Told = nothingTold();
  /** From when a registration was due to when it was settled, coming again included. */
  readonly latencies = new Latencies();
  /** The same of those that were due while the server was there. */
  readonly calmLatencies = new Latencies();
  /** Grows when the server goes down and when it is back: what spans a change counts apart. */
  disturbances = 0;
  arrived = 0;
  settled = 0;
  #beganMs = 0;
  #settledAtMs = 0;
  readonly #options: Required<CrowdOptions>;
  readonly #under = new Set<Promise<void>>();

  constructor(options: CrowdOptions) {
    this.#options = { tickMs: 5, ...options };
  }

  /** Registrations, from the begin to the last that was settled. */
  get settledPerSecond(): number {
    return (this.settled * 1_000) / Math.max(1, this.#settledAtMs - this.#beganMs);
  }

  /** Resolves when everybody has come and gone; after the signal nobody comes any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { wishes, clock, tickMs } = this.#options;
    const beganMs = clock.monotonicMs();
    this.#beganMs = beganMs;
    while (this.arrived < wishes.length && !signal.aborted) {
      const sinceMs = clock.monotonicMs() - beganMs;
      for (let wish = wishes[this.arrived]; wish && wish.atMs <= sinceMs;) {
        this.#begin(wish, beganMs + wish.atMs);
        wish = wishes[(this.arrived += 1)];
      }
      await clock.sleep(tickMs, signal);
    }
    while (this.#under.size > 0) await Promise.all(this.#under);
  }

  #begin(wish: Wish, dueMs: number): void {
    const done = this.#journey(wish, dueMs).finally(() => this.#under.delete(done));
    this.#under.add(done);
  }

  async #journey(wish: Wish, dueMs: number): Promise<void> {
    const { clock } = this.#options;
    const { disturbances } = this;
    const answer = await this.#registers(wish, dueMs);
    this.settled += 1;
    this.#settledAtMs = clock.monotonicMs();
    const tookMs = this.#settledAtMs - dueMs;
    this.latencies.add(tookMs);
    const calm = disturbances % 2 === 0 && disturbances === this.disturbances;
    if (calm) this.calmLatencies.add(tookMs);
    if (answer?.status !== 201) return;
    const registrationId = String(answer.body["registrationId"]);
    const paymentId = answer.body["paymentId"];
    const { moduleCode, studentId } = wish;
    this.told.registered.set(registrationId, { registrationId, moduleCode, studentId });
    await Promise.all([
      typeof paymentId === "string" ? this.#pays(wish, paymentId) : undefined,
      this.#regrets(wish, registrationId),
    ]);
  }

  async #registers(wish: Wish, dueMs: number): Promise<Settled | undefined> {
    const { name, moduleCode, studentId } = wish;
    const command = { method: "POST", path: "/registrations" } as const;
    const answer = await this.#send(
      wish,
      { ...command, body: { moduleCode, studentId }, dueMs },
      `${name}/register`,
    );
    if (answer === undefined) this.told.unsettledSeats.add(seatOf(studentId, moduleCode));
    return answer;
  }

  async #pays(wish: Wish, paymentId: string): Promise<void> {
    const { name, card, thinkMs } = wish;
    if (card === undefined) return;
    await this.#options.clock.sleep(thinkMs);
    const path = `/payments/${encodeURIComponent(paymentId)}/card`;
    for (let turn = 1; turn <= cardTriesMax; turn += 1) {
      const command = { method: "POST", path, body: { token: card } } as const;
      const answer = await this.#send(wish, command, `${name}/pay/${turn}`);
      if (answer?.status === 202) this.told.paid.add(paymentId);
      if (answer?.body["code"] !== "payment-unknown") return;
    }
  }

  async #regrets(wish: Wish, registrationId: string): Promise<void> {
    const { name, regretMs } = wish;
    if (regretMs === undefined) return;
    await this.#options.clock.sleep(regretMs);
    const path = `/registrations/${encodeURIComponent(registrationId)}`;
    const answer = await this.#send(wish, { method: "DELETE", path }, `${name}/withdraw`);
    if (answer?.status === 200) this.told.withdrawn.add(registrationId);
  }

  async #send(wish: Wish, command: KeyedCommand, key: string): Promise<Settled | undefined> {
    const { sender, authorisation } = this.#options;
    const headers = authorisation(wish.studentId);
    const answer = await sender.send({ ...command, headers }, key);
    if (answer === undefined) this.told.unsettled.push(key);
    else if (answer.status >= 400) this.#refused(answer, key);
    return answer;
  }

  #refused({ status, body }: Settled, key: string): void {
    const code = String(body["code"]);
    this.told.refused.set(code, (this.told.refused.get(code) ?? 0) + 1);
    // What rules and payments say no with; all else is a fault of ours.
    const foreseen = status === 409 || code === "payment-unknown";
    if (!foreseen) this.told.strange.push(`${key}: ${status} ${code}`);
  }
}
