import { encodePositionToken } from "../../engine/position-token.ts";
import { type Sequence, sequence } from "../../engine/position.ts";
import type { SeatAvailableChanged } from "../../schemas/index.ts";
import { registrationUpdates } from "../../schemas/topics.ts";

/** One notice, read from the log. */
export interface Notice {
  readonly partition: number;
  readonly sequence: number;
  readonly incarnation: string;
  readonly event: SeatAvailableChanged;
}

/** Last sequence by partition, and the life of the store that gave them. */
export class PositionVector {
  incarnation: string;
  readonly #sequences: Map<number, number>;

  constructor(incarnation: string, sequences: Iterable<readonly [number, number]> = []) {
    this.incarnation = incarnation;
    this.#sequences = new Map(sequences);
  }

  /** 0: nothing of the partition yet. */
  get(partition: number): number {
    return this.#sequences.get(partition) ?? 0;
  }

  /** False when the notice is no later than what was seen: a record that was published again. */
  advance(notice: Notice): boolean {
    if (notice.incarnation !== this.incarnation) {
      this.incarnation = notice.incarnation;
      this.#sequences.clear();
    }
    if (notice.sequence <= this.get(notice.partition)) return false;
    this.#sequences.set(notice.partition, notice.sequence);
    return true;
  }

  copy(): PositionVector {
    return new PositionVector(this.incarnation, this.#sequences);
  }

  /** The id of an update: what a listener that has seen everything up to here sends to resume. */
  token(): string {
    const lanes = [...this.#sequences]
      .sort(([a], [b]) => a - b)
      .map(([partition, last]): { topic: string; partition: number; sequence: Sequence } => ({
        topic: registrationUpdates.name,
        partition,
        sequence: sequence(last),
      }));
    return encodePositionToken({ incarnation: this.incarnation, lanes });
  }
}

/** An update with its frames, which are made once however many listen. */
export class Update {
  readonly notice: Notice;
  readonly id: string;
  #sse: string | undefined;
  #message: string | undefined;

  constructor(notice: Notice, id: string) {
    this.notice = notice;
    this.id = id;
  }

  get sse(): string {
    this.#sse ??= sseFrame({
      id: this.id,
      event: "SeatAvailableChanged",
      data: this.notice.event,
    });
    return this.#sse;
  }

  get message(): string {
    this.#message ??= JSON.stringify({
      id: this.id,
      event: "SeatAvailableChanged",
      data: this.notice.event,
    });
    return this.#message;
  }
}

/** A server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function sseFrame(frame: {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}): string {
  const id = frame.id === undefined ? "" : `id: ${frame.id}\n`;
  return `${id}event: ${frame.event}\ndata: ${JSON.stringify(frame.data)}\n\n`;
}
