import { type Static, Type } from "typebox";

import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { wantsUndo } from "../../engine/rebuild/wants-undo.ts";
import { isOpenRebuild } from "../../engine/rebuild-states.ts";
import { iso, nullable } from "../shapes.ts";
import { From, fromShape, Plan, planShape, Progress, progressShape } from "./plan-shape.ts";
import { Proof, proofShape } from "./proof-shape.ts";

const Time = Type.String({ format: "date-time" });
const Wish = Type.Enum(["run", "pause", "abandon", "undo"]);

export const Rebuild = Type.Object({
  id: Type.String(),
  projection: Type.String(),
  version: Type.Integer(),
  state: Type.Enum([
    "planned",
    "filling",
    "proving",
    "proved",
    "swapped",
    "undone",
    "abandoned",
    "failed",
  ]),
  wish: Wish,
  over: Type.Boolean({ description: "It is swapped in, undone, abandoned or failed." }),
  from: From,
  accept: Type.Boolean({ description: "Differences don't keep it from being swapped in." }),
  lagBudgetMs: Type.Integer(),
  keepMs: Type.Integer({ description: "How long it can be undone once it is swapped in." }),
  by: Type.String(),
  reason: nullable(Type.String()),
  asked: nullable(
    Type.Object({ wish: Wish, by: Type.String(), reason: nullable(Type.String()), at: Time }),
  ),
  base: Type.Integer({ description: "The generation that served when it began." }),
  shadow: nullable(Type.Integer({ description: "The generation that it fills." })),
  conductor: nullable(Type.String({ description: "The process that works on it." })),
  createdAt: Time,
  changedAt: Time,
  undoUntil: nullable(Time),
  swapHeldMs: nullable(Type.Number()),
  plan: nullable(Plan),
  progress: nullable(Progress),
  proof: nullable(Proof),
  failure: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
});

/** A rebuild as programs are told of it, over HTTP and by the command line. */
export function rebuildShape(record: RebuildRecord): Static<typeof Rebuild> {
  const { request, failure, plan, progress, proof } = record;
  return {
    id: String(record.id),
    projection: request.projection,
    version: request.version,
    state: record.state,
    wish: record.wish,
    over: isOver(record),
    from: fromShape(request.from),
    accept: request.accept,
    lagBudgetMs: request.lagBudgetMs,
    keepMs: request.keepMs,
    by: request.by,
    reason: request.reason ?? null,
    asked: askedShape(record),
    base: record.base,
    shadow: record.shadow ?? null,
    conductor: record.conductor ?? null,
    createdAt: iso(record.createdAtMs),
    changedAt: iso(record.changedAtMs),
    undoUntil: record.undoUntilMs === undefined ? null : iso(record.undoUntilMs),
    swapHeldMs: record.swapHeldMs ?? null,
    plan: plan === undefined ? null : planShape(plan),
    progress: progress === undefined ? null : progressShape(progress),
    proof: proof === undefined ? null : proofShape(proof),
    failure: failure === undefined ? null : { code: failure.code, message: failure.message },
  };
}

function askedShape({ asked }: RebuildRecord): Static<typeof Rebuild>["asked"] {
  if (asked === undefined) return null;
  const { wish, by, reason, atMs } = asked;
  return { wish, by, reason: reason ?? null, at: iso(atMs) };
}

/** Nothing more comes by itself; one that is swapped in and about to be undone isn't over. */
export const isOver = (record: RebuildRecord): boolean =>
  !isOpenRebuild(record) && !wantsUndo(record);
