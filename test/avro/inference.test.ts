import { expect, expectTypeOf, test } from "vitest";

import { defineTopic, type EventOf } from "../../engine/topic.ts";
import {
  defineEvent,
  makeEncoder,
  makeResolver,
  parseSchema,
  SchemaError,
  type Infer,
} from "../../schemas/avro/index.ts";

const parcelSent = defineEvent({
  type: "record",
  name: "ParcelSent",
  namespace: "post",
  fields: [
    { name: "parcelId", type: "string" },
    { name: "weight", type: ["null", "double"], default: null },
    { name: "state", type: { type: "enum", name: "State", symbols: ["NEW", "LOST"] } },
    {
      name: "stops",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "Stop",
          fields: [{ name: "at", type: { type: "long", logicalType: "timestamp-millis" } }],
        },
      },
    },
    { name: "last", type: ["null", "Stop"], default: null },
    { name: "labels", type: { type: "map", values: "string" } },
    { name: "serial", type: { type: "long", longAs: "bigint" } },
    { name: "seal", type: { type: "fixed", name: "Seal", size: 2 } },
  ],
});

interface Parcel {
  readonly parcelId: string;
  readonly weight: number | null;
  readonly state: "NEW" | "LOST";
  readonly stops: readonly { readonly at: number }[];
  readonly last: { readonly at: number } | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly serial: bigint;
  readonly seal: Buffer;
}

test("an inline schema's TypeScript type is what decoding gives", () => {
  expectTypeOf<EventOf<typeof parcelSent>>().toEqualTypeOf<Parcel>();
  const parcel: EventOf<typeof parcelSent> = {
    parcelId: "p",
    weight: null,
    state: "LOST",
    stops: [{ at: 1 }],
    last: { at: 2 },
    labels: { a: "b" },
    serial: 2n ** 60n,
    seal: Buffer.from("ab"),
  };
  const schema = parseSchema(parcelSent.schema);
  const decoded = makeResolver<Parcel>(schema, schema).decode(makeEncoder(schema).encode(parcel));
  expect(decoded).toEqual(parcel);
  expect([parcelSent.name, parcelSent.fullName]).toEqual(["ParcelSent", "post.ParcelSent"]);
});

test("an event of an inline schema fits a topic, whose key must be one of its fields", () => {
  const topic = defineTopic({ name: "parcels", key: "parcelId", events: [parcelSent] });
  expect(topic.events[0]).toBe(parcelSent);
  // @ts-expect-error -- no such field
  expect(() => defineTopic({ name: "parcels", key: "nothing", events: [parcelSent] })).toThrow();
});

test("a schema's own names are resolved in its type", () => {
  const list = {
    type: "record",
    name: "List",
    fields: [
      { name: "value", type: "int" },
      { name: "next", type: ["null", "List"] },
    ],
  } as const;
  const value: Infer<typeof list> = { value: 1, next: { value: 2, next: null } };
  expectTypeOf(value.value).toEqualTypeOf<number>();
  const schema = parseSchema(list);
  expect(makeResolver(schema, schema).decode(makeEncoder(schema).encode(value))).toEqual(value);
});

test("a record that is none is refused with its place", () => {
  const define = (type: string): unknown =>
    defineEvent({ type: "record", name: "R", fields: [{ name: "a", type }] });
  expect(() => define("str")).toThrow(SchemaError);
  expect(() => defineEvent({ type: "record", name: "a.R", fields: [] })).toThrow(/namespace/);
});
