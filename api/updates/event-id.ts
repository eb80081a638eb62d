import { RecordError } from "../../engine/errors.ts";
import { decodePositionToken } from "../../engine/position-token.ts";
import { registrationUpdates } from "../../schemas/topics.ts";
import { ProblemError } from "../problem.ts";
import { PositionVector } from "./update.ts";

/** @throws ProblemError 400 for an id that no update ever had. */
export function vectorOf(id: string | undefined): PositionVector | undefined {
  if (id === undefined || id === "") return undefined;
  try {
    const { incarnation, lanes } = decodePositionToken(id);
    const ours = lanes.filter(({ topic }) => topic === registrationUpdates.name);
    return new PositionVector(
      incarnation,
      ours.map(({ partition, sequence }) => [partition, Number(sequence)] as const),
    );
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new ProblemError({
      status: 400,
      code: "last-event-id-invalid",
      detail: "Last-Event-ID takes the id of an update of this stream. Connect without one.",
    });
  }
}
