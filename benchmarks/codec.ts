/**
 * Encoding and decoding of one common event, a processor's time each, beside avsc and JSON. What is
 * decoded is compared with what was encoded before anything is measured.
 */
import { deepStrictEqual } from "node:assert/strict";
import { parseArgs } from "node:util";

import avsc from "avsc";

import { makeEncoder, makeResolver, parseSchema } from "../schemas/avro/index.ts";
import { ModuleRegistered } from "../schemas/index.ts";
import type { FigureRole } from "./harness/figure.ts";
import { tell, tellChecked } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    operations: { type: "string", default: "400000" },
  },
});
const rounds = Number(values.rounds);
const operations = Number(values.operations);

const event: ModuleRegistered = {
  registrationId: "0199f3c0-5a4e-7c31-9f0b-3d1c2b4a5e6f",
  moduleCode: "AAA-2013J",
  studentId: "s-123456",
  feeCents: 12_000,
  enrolmentId: null,
  holdExpiresAt: 1_795_220_983_163,
  acceptedOffer: false,
};

const schema = parseSchema(ModuleRegistered.schema);
const partSource = {
  type: "record",
  name: "ModuleRegistered",
  namespace: "refold.seats",
  fields: [{ name: "moduleCode", type: "string" }],
} as const;
const encoder = makeEncoder(schema);
const whole = makeResolver(schema, schema);
const part = makeResolver(parseSchema(partSource), schema);
const frame = { schemaId: 7 };
const bytes = encoder.encode(event, frame);
const avro = bytes.subarray(5);
const json = JSON.stringify(event);

const theirs = avsc.Type.forSchema(ModuleRegistered.schema as avsc.Schema, { wrapUnions: false });
const theirPart = avsc.Type.forSchema(partSource as unknown as avsc.Schema);
const theirResolver = theirPart.createResolver(theirs);

deepStrictEqual(whole.decode(bytes, 5), event);
deepStrictEqual(part.decode(bytes, 5), { moduleCode: event.moduleCode });
deepStrictEqual(theirs.toBuffer(event), Buffer.from(avro));
deepStrictEqual({ ...(theirs.fromBuffer(avro) as object) }, event);

/** Nanoseconds of the processor for one operation: the median of some rounds. */
function measured(operation: () => unknown): number {
  const figures = Array.from({ length: rounds + 1 }, () => {
    const before = process.cpuUsage();
    for (let done = 0; done < operations; done += 1) operation();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / operations;
  });
  // The first round compiles.
  return figures.slice(1).sort((a, b) => a - b)[Math.floor(rounds / 2)] as number;
}

function report(name: string, role: FigureRole, operation: () => unknown): void {
  tell({ name, unit: "ns", value: measured(operation), better: "less", role });
}

tellChecked(
  `what is decoded equals what was encoded, and the bytes those of avsc: ${avro.length} in Avro, ` +
    `${json.length} in JSON`,
);
report("encode, framed", "measured", () => encoder.encode(event, frame));
report("encode, avsc", "peer", () => theirs.toBuffer(event));
report("encode, JSON", "peer", () => Buffer.from(JSON.stringify(event)));
report("decode in place", "measured", () => whole.decode(bytes, 5));
report("decode, avsc", "peer", () => theirs.fromBuffer(avro));
report("decode, JSON", "peer", () => JSON.parse(json) as unknown);
report("decode one field in place", "measured", () => part.decode(bytes, 5));
report("decode one field, avsc", "peer", () => theirPart.decode(bytes, 5, theirResolver));
