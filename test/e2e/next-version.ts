import { integer } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";

/** The next version of the same read model: it tells what is left, too. */
export const nextVersion = defineProjection({
  ...seatAvailability,
  version: seatAvailability.version + 1,
  row: { ...seatAvailability.row, left: integer() },
  on: Object.fromEntries(
    Object.entries(seatAvailability.on).map(([type, fold]) => [
      type,
      typeof fold === "function" ? withLeft(fold as Fold) : fold,
    ]),
  ) as never,
});

type Row = Readonly<Record<string, unknown>> | undefined;
type Fold = (row: Row, event: unknown, meta: unknown) => Row;

function withLeft(fold: Fold): Fold {
  return (row, event, meta) => {
    const next = fold(row, event, meta);
    if (next === undefined) return undefined;
    const { capacity, held, confirmed } = next as Record<"capacity" | "held" | "confirmed", number>;
    return { ...next, left: capacity - held - confirmed };
  };
}
