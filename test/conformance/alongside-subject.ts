import { randomUUID } from "node:crypto";

import { expect } from "vitest";

import type { Alongside, OnceMark } from "../../engine/ports/alongside.ts";
import type { Deadlines } from "../../engine/ports/deadlines.ts";
import type { EffectLedger, NewEffect } from "../../engine/ports/effect-ledger.ts";
import type {
  Appended,
  AppendRequest,
  AppendVerdict,
  EventStore,
} from "../../engine/ports/event-store.ts";
import type { IdempotencyKeys } from "../../engine/ports/idempotency-keys.ts";
import type { ProcessorStore } from "../../engine/ports/processor-store.ts";
import type { StoreHold } from "../../engine/ports/store-hold.ts";
import { command, event, nothingAfter } from "../event-store/events.ts";

export interface AlongsideSubject extends AsyncDisposable {
  readonly store: EventStore;
  /** The same store, as another process has it. */
  readonly beside: EventStore;
  readonly hold: StoreHold;
  readonly processorStore: ProcessorStore;
  readonly effectLedger: EffectLedger;
  readonly deadlines: Deadlines;
  readonly idempotencyKeys: IdempotencyKeys;
  /** Lets time pass for effects and kept answers. */
  readonly pass: (ms: number) => Promise<void>;
}

/** A kind, name or tag that no other test of the suite has. */
export const unique = (what: string): string => `${what}-${randomUUID().slice(0, 13)}`;

export const effect = (over: Partial<NewEffect> = {}): NewEffect => ({
  key: unique("charge"),
  kind: "payment.charge",
  input: { amountCents: 1_250, note: 'ü€ "\\ {},NULL' },
  tags: ["payment:p1"],
  correlationId: "c",
  ...over,
});

export const setDeadline = (name: string, key: string, atMs: number) =>
  ({ change: "set", name, key, atMs, tags: [`payment:${key}`], correlationId: "c" }) as const;

export const once = (key: string, over: Partial<OnceMark> = {}): OnceMark => ({
  scope: "clients",
  key,
  fingerprint: "asked so",
  answer: { of: key },
  events: [],
  ...over,
});

/** One event with a tag of its own, and what comes with it; its marks are about all its events. */
export function requestWith(
  alongside: Alongside,
  over: Partial<AppendRequest> = {},
): AppendRequest & { readonly tag: string } {
  const tag = unique("registration:r");
  const request = { events: [event("A", [tag])], condition: [], tag, ...over };
  const { once: marks } = alongside;
  if (marks === undefined) return { ...request, alongside };
  const events = request.events.map(({ id }) => id);
  return {
    ...request,
    alongside: { ...alongside, once: marks.map((one) => ({ ...one, events })) },
  };
}

export async function appendedWith(
  store: EventStore,
  alongside: Alongside,
  over: Partial<AppendRequest> = {},
): Promise<Appended> {
  return appended(await store.append(requestWith(alongside, over), command));
}

export function appended(verdict: AppendVerdict): Appended {
  if (verdict.outcome !== "appended") expect.fail(`The verdict is ${verdict.outcome}.`);
  return verdict;
}

export const firstOf = (tag: string) => ({
  events: [event("A", [tag])],
  condition: [nothingAfter(0, [tag])],
});

export async function countTagged(store: EventStore, tag: string): Promise<number> {
  let count = 0;
  for await (const page of store.read({ items: [{ tags: [tag] }] })) count += page.length;
  return count;
}
