import { Arrivals } from "./_arrivals.ts";
import { type Connection, headerOf } from "./_connection.ts";
import { waitUntil } from "./_instance.ts";
import { openLoop } from "./_open-loop.ts";
import { followUpdates, lastSequence } from "./_update-stream.ts";
import { tellChecked, tellLatencies } from "./harness/tell.ts";

const connections = 50;

export interface FreshnessLoad {
  readonly httpUrl: string;
  /** Registrations, in turn to each of the modules. */
  readonly perSecond: number;
  readonly codes: readonly string[];
  /** Of the same load, before what is measured. */
  readonly warmUpSeconds: number;
  /** How long what comes is measured. */
  readonly seconds: number;
}

/**
 * Registers at a steady rate over HTTP and listens to the event stream: how long until a listener has
 * the update that contains a registration, by position. A registration is recorded when its answer
 * says: just before the commit. It is due however late it was sent.
 *
 * @throws Error when a registration is refused, or its update doesn't come within 30 s.
 */
export async function measureFreshness(load: FreshnessLoad): Promise<Arrivals> {
  const arrivals = new Arrivals();
  const stop = await followUpdates(load.httpUrl, arrivals);
  const sent = await send(load, arrivals);
  await waitUntil("every registration was delivered", async () => arrivals.arrived === sent);
  stop();
  return arrivals;
}

/** Tells both distributions of a run at a rate. */
export function tellFreshness({ sinceRecorded, sinceDue }: Arrivals): void {
  tellChecked(
    `every registration was delivered, and ${sinceRecorded.totalCount} of them were measured`,
  );
  tellLatencies({ name: "commit to event stream", histogram: sinceRecorded, unitsPerMs: 1 });
  tellLatencies({ name: "due to event stream", histogram: sinceDue, unitsPerMs: 1 });
}

function send(load: FreshnessLoad, arrivals: Arrivals): Promise<number> {
  const { httpUrl, perSecond, codes, warmUpSeconds, seconds } = load;
  const toWallMs = Date.now() - performance.now();
  return openLoop({
    httpUrl,
    perSecond,
    connections,
    turns: perSecond * (warmUpSeconds + seconds),
    send: async (connection, { index, dueMs }) => {
      const moduleCode = codes[index % codes.length] ?? "";
      const recorded = await register(connection, moduleCode, `student-${index}`);
      const measured = index >= perSecond * warmUpSeconds;
      arrivals.expect(moduleCode, { ...recorded, dueAtMs: toWallMs + dueMs, measured });
    },
  });
}

async function register(connection: Connection, moduleCode: string, studentId: string) {
  const answer = await connection.post("/registrations", { moduleCode, studentId });
  if (answer.status !== 201) throw new Error(`A registration was answered ${answer.body}.`);
  const { registeredAt } = JSON.parse(answer.body) as { registeredAt: string };
  const sequence = lastSequence(headerOf(answer, "refold-position") ?? "");
  return { sequence, recordedAtMs: Date.parse(registeredAt) };
}
