import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { seatAvailability, type SeatAvailabilityRow } from "./projection.ts";

/** The seats of one module; undefined: it isn't on offer. */
export async function seatsOfModule(
  reader: ReadModelReader,
  moduleCode: string,
): Promise<Answer<SeatAvailabilityRow | undefined>> {
  const answer = await reader.get(seatAvailability.name, moduleCode);
  return answer as Answer<SeatAvailabilityRow | undefined>;
}
