import { rebuildShape } from "../../api/rebuilds/shape.ts";
import { canConduct } from "../../engine/rebuild/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { RebuildRecord, RebuildState, RebuildWish } from "../../engine/ports/rebuilds.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { CommandFailure } from "../command-failure.ts";
import { canAsk, confirm } from "../confirm.ts";
import type { OptionsOnDatabase } from "../program.ts";
import { workersRun } from "../status/workers.ts";
import { StopSignals } from "../stop-signals.ts";
import { systemClock } from "../system-clock.ts";
import { connect, type Connected } from "../system/connect.ts";
import { application } from "../system/definitions.ts";
import { conductorOf, differencesIn, rebuildEnvironment } from "../system/rebuilds.ts";
import { askedBy } from "../asked-by.ts";
import { rebuildNamed } from "./asking.ts";
import { conducted } from "./conducted.ts";
import { giveWay } from "./give-way.ts";
import { Narrator } from "./narrator.ts";
import { outcomeOf } from "./outcome.ts";
import { stateText } from "./record-text.ts";

export interface FollowOptions extends OptionsOnDatabase {
  readonly yes?: true;
  readonly json?: true;
}

export interface SteerOptions extends FollowOptions {
  readonly reason?: string;
  readonly accept?: true;
}

export interface Followed {
  readonly connected: Connected;
  /** The definition by which it can be conducted here; undefined: only watched. */
  readonly projection: AnyProjection | undefined;
  /** Where it should end. */
  readonly ends: readonly RebuildState[];
  readonly options: FollowOptions;
  readonly signals: StopSignals;
  /** What was shown before. */
  readonly known: Pick<RebuildRecord, "plan" | "proof">;
}

/** Brings a rebuild to its end, here or by watching who does, and sets the exit code. */
export async function follow(record: RebuildRecord, followed: Followed): Promise<void> {
  const { connected, projection, ends, options, signals, known } = followed;
  const { rebuilds, generations, place } = connected;
  const narrator = new Narrator({
    out: process.stdout,
    nowMs: () => systemClock.monotonicMs(),
    known,
  });
  const isSilent = options.json === true;
  const asks = !isSilent && options.yes !== true && canAsk();
  if (projection) giveWay();
  else if (!isSilent) print(codeMissing(record));
  const differencesFolder = differencesIn(place);
  const environment = rebuildEnvironment({
    stores: connected,
    metrics: noMetrics,
    differencesFolder,
  });
  const last = await conducted(record.id, {
    rebuilds,
    generations,
    conduct: projection ? conductorOf(environment, projection) : watchOnly,
    tell: (seen) => {
      if (!isSilent) narrator.tell(seen);
    },
    accepts: asks ? (_, signal) => confirm("Swap it in although rows differ?", signal) : undefined,
    signal: signals.stop,
  });
  narrator.close();
  const outcome = outcomeOf(last ?? record, ends, await workersRun(connected));
  if (isSilent) print(JSON.stringify(rebuildShape(last ?? record), undefined, 2));
  else if (outcome.text !== undefined) print(outcome.text);
  process.exitCode = outcome.exitCode;
}

const codeMissing = ({ request: { projection, version } }: RebuildRecord): string =>
  `This program has no code of ${projection} in version ${version}: what follows is done by a ` +
  "process that has it, and waits for one where there is none. Ctrl-C ends watching.";

const watchOnly = (): Promise<undefined> => Promise.resolve(undefined);

export interface Steering {
  readonly wish: RebuildWish;
  /** States in which it is done; `at-once`: with the wish itself. */
  readonly ends: readonly RebuildState[] | "at-once";
}

/** `refold rebuild pause|resume|abandon|undo <id>`. */
export async function steer(
  text: string,
  { wish, ends }: Steering,
  options: SteerOptions,
): Promise<void> {
  const { projections } = application;
  await using connected = await connect("rebuild", options, { projections });
  const { rebuilds } = connected;
  const { id } = await rebuildNamed(rebuilds, text);
  const { reason, accept } = options;
  const by = askedBy("refold rebuild");
  const why = reason === undefined ? {} : { reason };
  const also = accept === undefined ? {} : { accept };
  const taken = await rebuilds.wish(id, wish, { by, ...why, ...also });
  const record = await rebuildNamed(rebuilds, text);
  if (!taken) throw tooLate(record, wish);
  if (ends === "at-once") {
    const json = () => JSON.stringify(rebuildShape(record), undefined, 2);
    return print(options.json ? json() : `rebuild ${id} ${stateText(record)}`);
  }
  using signals = new StopSignals(() => process.exit(130));
  const projection = projections.find((one) => canConduct(one, record));
  await follow(record, { connected, projection, ends, options, signals, known: record });
}

function tooLate(record: RebuildRecord, wish: RebuildWish): CommandFailure {
  const { id, undoUntilMs } = record;
  const until =
    wish === "undo" && undoUntilMs !== undefined
      ? `, and could be undone until ${new Date(undoUntilMs).toISOString()}`
      : "";
  const verb = wish === "run" ? "resumed" : pastOf[wish];
  return new CommandFailure(
    "failed",
    `Rebuild ${id} is ${stateText(record)}${until}: it can't be ${verb} (any more).`,
  );
}

const pastOf = { pause: "paused", abandon: "abandoned", undo: "undone" } as const;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
