import { existsSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import type { EventStore, QueryItem, ReadEvents } from "../../engine/ports/event-store.ts";
import { globalPosition } from "../../engine/position.ts";
import { all } from "../conformance/event-store.ts";
import { command, event } from "./events.ts";

/** What others have published on append conditions and queries, where it lies beside the project. */
const folder = new URL("../../../shared/vectors/dcb/", import.meta.url);

interface Fact {
  readonly type: string;
  readonly tags?: readonly string[];
  readonly data: unknown;
}

type Query = "all" | readonly QueryItem[];

interface Condition {
  readonly failIfEventsMatch: Query;
  readonly after?: number;
}

interface AppendCase {
  readonly id: string;
  readonly name: string;
  readonly given: readonly Fact[];
  readonly when: { readonly append: readonly Fact[]; readonly condition?: Condition };
  readonly then: "ok" | "conflict";
}

interface ReadCase {
  readonly id: string;
  readonly name: string;
  readonly given: readonly Fact[];
  readonly query: Query;
  readonly options?: {
    readonly from?: number;
    readonly after?: number;
    readonly limit?: number;
    readonly backwards?: boolean;
  };
  readonly then: { readonly positions: readonly number[] };
}

interface ExampleCase {
  readonly id: string;
  readonly name: string;
  readonly given: readonly Fact[];
  readonly decisionQuery: readonly QueryItem[];
  readonly then: "ok" | "rejected";
  readonly append?: { readonly events: readonly Fact[]; readonly condition: Condition };
}

/** Small cases of our own, for where the others aren't there. */
const ownAppends: AppendCase[] = [
  {
    id: "own-1",
    name: "a superset of the tags is caught",
    given: [{ type: "A", tags: ["x:1", "y:1"], data: {} }],
    when: {
      append: [{ type: "A", tags: ["x:1"], data: {} }],
      condition: { failIfEventsMatch: [{ types: ["A"], tags: ["x:1"] }], after: 0 },
    },
    // oxlint-disable-next-line unicorn/no-thenable
    then: "conflict",
  },
];

const ownReads: ReadCase[] = [
  {
    id: "own-2",
    name: "items OR, tags AND, each event once",
    given: [
      { type: "A", tags: ["x:1"], data: {} },
      { type: "B", tags: ["x:1", "y:1"], data: {} },
      { type: "B", data: {} },
    ],
    query: [{ tags: ["x:1", "y:1"] }, { types: ["B"] }],
    // oxlint-disable-next-line unicorn/no-thenable
    then: { positions: [2, 3] },
  },
];

function cases<Case>(name: string, own: Case[]): Case[] {
  const file = new URL(`${name}.json`, folder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Case[]) : own;
}

const itemsOf = (query: Query): readonly QueryItem[] => (query === "all" ? [{}] : query);

const asEvent = ({ type, tags, data }: Fact) =>
  event(type, [...new Set(tags)], { value: Buffer.from(JSON.stringify(data ?? null)) });

const conditionOf = (condition: Condition | undefined) =>
  condition === undefined
    ? []
    : itemsOf(condition.failIfEventsMatch).map((item) => ({
        ...item,
        after: globalPosition(condition.after ?? 0),
      }));

/** The store is empty, and its positions begin at 1. */
export function publishedCases(makeEmpty: () => Promise<EventStore>): void {
  async function holding(given: readonly Fact[]): Promise<EventStore> {
    const store = await makeEmpty();
    for (const fact of given) {
      await store.append({ events: [asEvent(fact)], condition: [] }, command);
    }
    return store;
  }

  test.each(cases("append", ownAppends))("$id: $name", async ({ given, when, then }) => {
    const store = await holding(given);
    const request = { events: when.append.map(asEvent), condition: conditionOf(when.condition) };
    const verdict = await store.append(request, command);
    expect(verdict.outcome).toBe(then === "ok" ? "appended" : "conflict");
    const added = then === "ok" ? when.append.length : 0;
    expect(await all(store)).toHaveLength(given.length + added);
  });

  test.each(cases("read", ownReads))("$id: $name", async ({ given, query, options, then }) => {
    const store = await holding(given);
    const found = await all(store, { ...rangeOf(options), items: [...itemsOf(query)] });
    expect(found.map((stored) => Number(stored.position))).toEqual(then.positions);
  });

  test.each(cases<ExampleCase>("examples", []))("$id: $name", async (example) => {
    const store = await holding(example.given);
    // The condition is derived from what the decision has read.
    const known = await all(store, { items: [...example.decisionQuery] });
    if (!example.append) {
      // A refusal is checked by an append without events, and stays true until something comes.
      const head = known.at(-1)?.position ?? globalPosition(0);
      const condition = example.decisionQuery.map((item) => ({ ...item, after: head }));
      const check = () => store.append({ events: [], condition }, command);
      expect((await check()).outcome).toBe("appended");
      const [item] = example.decisionQuery;
      if (!item) return;
      const newer = event(item.types?.[0] ?? "Any", item.tags ?? []);
      await store.append({ events: [newer], condition: [] }, command);
      expect(await check()).toMatchObject({ outcome: "conflict", newer: [{ id: newer.id }] });
      return;
    }
    const { events, condition } = example.append;
    const request = { events: events.map(asEvent), condition: conditionOf(condition) };
    expect((await store.append(request, command)).outcome).toBe("appended");
    // The same decision on what was known before no longer holds, where it reads its own events.
    const again = { ...request, events: events.map(asEvent) };
    const caught = events.some((fact) => example.decisionQuery.some((item) => isRead(fact, item)));
    const outcome = (await store.append(again, command)).outcome;
    expect(outcome).toBe(caught ? "conflict" : "appended");
  });
}

function isRead({ type, tags = [] }: Fact, item: QueryItem): boolean {
  if (item.types && !item.types.includes(type)) return false;
  return (item.tags ?? []).every((tag) => tags.includes(tag));
}

function rangeOf(options: ReadCase["options"] = {}): ReadEvents {
  const { from, after, limit, backwards } = options;
  const limited = limit === undefined ? {} : { limit };
  if (backwards) {
    const last = from ?? (after === undefined ? undefined : after - 1);
    const range = last === undefined ? {} : { upTo: globalPosition(last) };
    return { ...range, ...limited, order: "descending" };
  }
  const first = after ?? (from === undefined ? undefined : from - 1);
  return { ...(first === undefined ? {} : { after: globalPosition(first) }), ...limited };
}
