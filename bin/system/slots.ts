import type { Servers } from "../servers.ts";
import { debeziumSlots } from "./debezium.ts";
import type { Definitions } from "./definitions.ts";

/** The replication slots that feed the log. */
export const slotsOf = (
  { capture }: Pick<Servers, "capture">,
  definitions: Pick<Definitions, "changeTopics" | "slotName">,
): readonly string[] =>
  capture === "debezium" ? debeziumSlots(definitions) : [definitions.slotName];
