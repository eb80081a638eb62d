import type { RebuildPlan } from "../../engine/ports/rebuilds.ts";
import { table } from "../table.ts";
import { bytesText, countText, secondsText } from "./amounts.ts";

/** What a rebuild will read, for people. */
export function planText(plan: RebuildPlan): string {
  const { partitions } = plan;
  const rows = partitions.map((one) => [
    `${one.topic}/${one.partition}`,
    String(one.start),
    String(one.from),
    String(one.end),
    String(one.events),
    one.bytes === undefined ? "-" : bytesText(one.bytes),
    String(one.taken),
  ]);
  const headings = ["partition", "log begins", "from", "to", "events", "bytes", "taken"];
  return [
    startText(plan),
    table(headings, rows),
    `${countText(plan.events, "event")}${sizeText(plan)}${timeText(plan)}`,
    ...(plan.schemas.length > 0 ? [`schemas met: ${plan.schemas.join(", ")}`] : []),
    ...plan.warnings.map((warning) => `warning: ${warning}`),
  ].join("\n");
}

function startText({ start }: RebuildPlan): string {
  switch (start.kind) {
    case "beginning":
      return "from the log's beginning";
    case "snapshot": {
      const takenAt = new Date(start.takenAtMs).toISOString();
      return `from snapshot ${start.snapshot} of ${takenAt}, which was audited against the log`;
    }
    case "cold":
      return "from nothing: the projection overwrites whole rows";
    default:
      return start satisfies never;
  }
}

const sizeText = ({ bytes }: RebuildPlan): string =>
  bytes === undefined ? "" : `, about ${bytesText(bytes)}`;

const timeText = ({ seconds }: RebuildPlan): string =>
  seconds === undefined ? "" : `, about ${secondsText(seconds)} by a measured sample`;
