import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { readRow } from "../../engine/read-rows.ts";
import { seatAvailability, type SeatAvailabilityRow } from "./projection.ts";

/** The seats of one module; undefined: it isn't on offer. */
export const seatsOfModule = (
  reader: Pick<ReadModelReader, "get">,
  moduleCode: string,
): Promise<Answer<SeatAvailabilityRow | undefined>> =>
  readRow(reader, seatAvailability, moduleCode);
