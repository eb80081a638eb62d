import { type Static, Type } from "typebox";

import type { RebuildProof } from "../../engine/ports/rebuilds.ts";
import { isEqual } from "../../engine/rebuild/index.ts";
import { iso, nullable } from "../shapes.ts";

const Count = Type.Integer({ minimum: 0 });

export const Proof = Type.Object({
  equal: Type.Boolean({
    description: "The same version, and no row differs in any store that could be asked.",
  }),
  provedAt: Type.String({ format: "date-time" }),
  heldMs: Type.Number(),
  positions: Type.Array(
    Type.Object({ topic: Type.String(), partition: Count, offset: Type.String() }),
  ),
  liveRows: Count,
  shadowRows: Count,
  liveDigest: Type.String(),
  shadowDigest: Type.String(),
  bucketsDiffering: Type.Array(Count),
  added: Count,
  removed: Count,
  changed: Count,
  addedSamples: Type.Array(Type.String()),
  removedSamples: Type.Array(Type.String()),
  fields: Type.Array(
    Type.Object({
      field: Type.String(),
      rows: Count,
      samples: Type.Array(
        Type.Object({ key: Type.String(), live: Type.String(), shadow: Type.String() }),
      ),
    }),
  ),
  recount: Type.Enum(["equal", "differs"]),
  redis: Type.Enum(["none", "equal", "differs", "behind"]),
  snapshot: nullable(Type.String()),
  liveVersion: Type.Integer(),
  shadowVersion: Type.Integer(),
  codeVersion: Type.String(),
  file: nullable(Type.String({ description: "Where its maker has written all differing rows." })),
});

export function proofShape(proof: RebuildProof): Static<typeof Proof> {
  const { provedAtMs, snapshot, file, ...rest } = proof;
  return {
    ...rest,
    equal: isEqual(proof),
    provedAt: iso(provedAtMs),
    positions: proof.positions.map(({ topic, partition, position }) => ({
      topic,
      partition,
      offset: String(position.nextOffset),
    })),
    bucketsDiffering: [...proof.bucketsDiffering],
    addedSamples: [...proof.addedSamples],
    removedSamples: [...proof.removedSamples],
    fields: proof.fields.map(({ samples, ...field }) => ({ ...field, samples: [...samples] })),
    snapshot: snapshot === undefined ? null : String(snapshot),
    file: file ?? null,
  };
}
