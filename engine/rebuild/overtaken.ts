import { FatalError } from "../errors.ts";
import { isOvertaken } from "../replay/overtaken.ts";

/** Retention may overtake a rebuild on its way. Anything else is as it was. */
export function asOvertaken(error: unknown): unknown {
  if (!isOvertaken(error)) return error;
  const what = error.message.slice(0, -error.remedy.length).trimEnd();
  return new FatalError(
    "history-gone",
    `The log has lost records before the rebuild has read them. ${what}`,
    "Start it again: it begins from a snapshot, or tells what is left.",
    { cause: error },
  );
}
