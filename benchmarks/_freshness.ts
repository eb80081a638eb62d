import { get } from "node:http";

import { build, type Histogram } from "hdr-histogram-js";

import { decodePositionToken } from "../engine/position-token.ts";
import { type Connection, headerOf } from "./_connection.ts";
import { waitUntil } from "./_instance.ts";
import { openLoop } from "./_open-loop.ts";
import { tellChecked, tellLatencies } from "./harness/tell.ts";

const connections = 50;

interface Awaited {
  readonly sequence: bigint;
  readonly sentAtMs: number;
  readonly recordedAtMs: number;
  readonly measured: boolean;
}

export interface FreshnessLoad {
  readonly httpUrl: string;
  /** Registrations, in turn to each of the modules. */
  readonly perSecond: number;
  readonly codes: readonly string[];
  /** Of the same load, before what is measured. */
  readonly warmUpSeconds: number;
  /** How long what comes is measured. */
  readonly seconds: number;
}

export interface MeasuredFreshness {
  /** From the recorded time that the answer tells, just before the commit; in ms. */
  readonly fromCommit: Histogram;
  /** From the moment the request was due, however late it was sent; in ms. */
  readonly fromCommand: Histogram;
}

/**
 * Registers at a steady rate and listens to the event stream: how long until a listener has the
 * update that contains a registration, by position.
 *
 * @throws Error when a registration is refused, or its update doesn't come within 30 s.
 */
export async function measureFreshness(load: FreshnessLoad): Promise<MeasuredFreshness> {
  const listener = new Listener();
  const stop = await listener.listen(load.httpUrl);
  const sent = await send(load, listener);
  await waitUntil("every registration was delivered", async () => listener.delivered === sent);
  stop();
  const { fromCommit, fromCommand } = listener;
  return { fromCommit, fromCommand };
}

const makeLatencies = () => build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000 });

/** Tells both distributions of a run at a rate. */
export function tellFreshness({ fromCommit, fromCommand }: MeasuredFreshness): void {
  tellChecked(
    `every registration was delivered, and ${fromCommit.totalCount} of them were measured`,
  );
  tellLatencies({ name: "commit to event stream", histogram: fromCommit, unitsPerMs: 1 });
  tellLatencies({ name: "due to event stream", histogram: fromCommand, unitsPerMs: 1 });
}

const lastSequence = (token: string): bigint =>
  decodePositionToken(token).lanes.reduce(
    (most, { sequence }) => (sequence > most ? sequence : most),
    0n,
  );

class Listener {
  readonly fromCommit = makeLatencies();
  readonly fromCommand = makeLatencies();
  delivered = 0;
  readonly #awaited = new Map<string, Awaited[]>();
  /** How far the stream has told of each module, and when it did. */
  readonly #told = new Map<string, { readonly sequence: bigint; readonly atMs: number }[]>();

  /** Gives what ends it. */
  listen(url: string): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const request = get(`${url}/registration-updates`, { agent: false }, (response) => {
        let received = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          const frames = `${received}${text}`.split("\n\n");
          received = frames.pop() ?? "";
          for (const frame of frames) this.#take(frame);
          resolve(() => void request.destroy());
        });
      });
      request.on("error", reject);
    });
  }

  wait(moduleCode: string, registration: Awaited): void {
    this.#awaited.set(moduleCode, [...(this.#awaited.get(moduleCode) ?? []), registration]);
    this.#settle(moduleCode);
  }

  #take(frame: string): void {
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    if (data === undefined || !frame.includes("event: SeatAvailableChanged")) return;
    const event = JSON.parse(data) as { moduleCode: string; sourcePosition: string };
    const update = { sequence: lastSequence(event.sourcePosition), atMs: Date.now() };
    this.#told.set(event.moduleCode, [...(this.#told.get(event.moduleCode) ?? []), update]);
    this.#settle(event.moduleCode);
  }

  /** An update may come before the answer to its own command: both orders are kept. */
  #settle(moduleCode: string): void {
    const updates = this.#told.get(moduleCode) ?? [];
    const rest = (this.#awaited.get(moduleCode) ?? []).filter((registration) => {
      const update = updates.find(({ sequence }) => sequence >= registration.sequence);
      if (update === undefined) return true;
      this.delivered += 1;
      if (registration.measured) this.#record(registration, update.atMs);
      return false;
    });
    this.#awaited.set(moduleCode, rest);
    if (rest.length === 0) this.#told.set(moduleCode, updates.slice(-4));
  }

  #record({ recordedAtMs, sentAtMs }: Awaited, atMs: number): void {
    this.fromCommit.recordValue(Math.round(Math.max(0, atMs - recordedAtMs)));
    this.fromCommand.recordValue(Math.round(Math.max(0, atMs - sentAtMs)));
  }
}

function send(load: FreshnessLoad, listener: Listener): Promise<number> {
  const { httpUrl, perSecond, codes, warmUpSeconds, seconds } = load;
  const toWallMs = Date.now() - performance.now();
  return openLoop({
    httpUrl,
    perSecond,
    connections,
    turns: perSecond * (warmUpSeconds + seconds),
    send: (connection, { index, dueMs }) =>
      register(
        { connection, listener },
        {
          moduleCode: codes[index % codes.length] ?? "",
          studentId: `student-${index}`,
          sentAtMs: toWallMs + dueMs,
          measured: index >= perSecond * warmUpSeconds,
        },
      ),
  });
}

async function register(
  { connection, listener }: { readonly connection: Connection; readonly listener: Listener },
  registration: {
    readonly moduleCode: string;
    readonly studentId: string;
    readonly sentAtMs: number;
    readonly measured: boolean;
  },
): Promise<void> {
  const { moduleCode, studentId, sentAtMs, measured } = registration;
  const answer = await connection.post("/registrations", { moduleCode, studentId });
  if (answer.status !== 201) throw new Error(`A registration was answered ${answer.body}.`);
  const { registeredAt } = JSON.parse(answer.body) as { registeredAt: string };
  const sequence = lastSequence(headerOf(answer, "refold-position") ?? "");
  listener.wait(moduleCode, {
    sequence,
    sentAtMs,
    recordedAtMs: Date.parse(registeredAt),
    measured,
  });
}
