import { encodePositionToken } from "../../engine/position-token.ts";
import { type Sequence, sequence } from "../../engine/position.ts";
import { type RecordType, SeatAvailableChanged } from "../../schemas/index.ts";
import { registrationUpdates } from "../../schemas/topics.ts";
import { chunkOf } from "../event-stream.ts";
import { textMessage } from "./text-message.ts";

/**
 * A kind of notice that may be merged: each tells all that is to be known of one thing, so a newer
 * one stands for those before it, and whoever gets the newest alone lacks nothing. Seats are such a
 * state. A notice that something happened (a refusal, an offer to a student) is none: each of those
 * counts, and it must never be told through windows. What a stream says of itself (`hello`,
 * `reset`, `end`) passes them by, too.
 */
export interface StateKind<Event extends object> {
  readonly type: RecordType<string, Event>;
  /** The field that names the thing whose state it is. */
  readonly stateOf: keyof Event;
}

/** The kind that the stream tells: the seats of a module. */
export const seatsOfModule = {
  type: SeatAvailableChanged,
  stateOf: "moduleCode",
} as const satisfies StateKind<SeatAvailableChanged>;

/** One notice, read from the log. */
export interface Notice {
  readonly partition: number;
  readonly sequence: number;
  readonly incarnation: string;
  readonly event: SeatAvailableChanged;
}

/** What a notice tells the state of: a module's code. */
export const subjectOf = ({ event }: Notice): string => event[seatsOfModule.stateOf];

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
    if (this.covers(notice)) return false;
    this.#sequences.set(notice.partition, notice.sequence);
    return true;
  }

  /** The notice, of the same life, is no later than what was seen. */
  covers({ partition, sequence: at }: Notice): boolean {
    return at <= this.get(partition);
  }

  /** Everything that `other`, of the same life, has seen was seen here. */
  coversAll(other: PositionVector): boolean {
    for (const [partition, last] of other.#sequences) if (last > this.get(partition)) return false;
    return true;
  }

  /** Also what `other`, of the same life, has seen; a vector that has seen nothing is of any life. */
  join(other: PositionVector): void {
    if (this.incarnation === "") this.incarnation = other.incarnation;
    for (const [partition, last] of other.#sequences) {
      if (last > this.get(partition)) this.#sequences.set(partition, last);
    }
  }

  /** As if nothing above `last` had been seen of the partition. */
  holdBack(partition: number, last: number): void {
    if (last < this.get(partition)) this.#sequences.set(partition, last);
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

/**
 * An update with the bytes that sockets take, which are made once however many listen, and which
 * all sockets that are slow wait with together.
 */
export class Update {
  readonly notice: Notice;
  readonly id: string;
  #sse: string | undefined;
  #chunk: Buffer | undefined;
  #message: Buffer | undefined;

  constructor(notice: Notice, id: string) {
    this.notice = notice;
    this.id = id;
  }

  /** As a server-sent event. */
  get sse(): string {
    this.#sse ??= sseFrame({
      id: this.id,
      event: seatsOfModule.type.name,
      data: this.notice.event,
    });
    return this.#sse;
  }

  /** The same as a chunk of HTTP/1.1. */
  get chunk(): Buffer {
    this.#chunk ??= chunkOf(this.sse);
    return this.#chunk;
  }

  /** As a message of a WebSocket, with its frame. */
  get message(): Buffer {
    this.#message ??= textMessage(
      JSON.stringify({ id: this.id, event: seatsOfModule.type.name, data: this.notice.event }),
    );
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
