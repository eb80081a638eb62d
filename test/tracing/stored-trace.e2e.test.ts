import { join } from "node:path";

import { expect, test } from "vitest";

import { Embedded } from "../../bin/embedded/index.ts";
import { openStores } from "../../bin/system/stores.ts";
import { traceSources } from "../../bin/system/traces.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { traceOf } from "../../engine/tracing/index.ts";
import { temporaryFolder } from "../e2e/refold-process.ts";
import { until } from "../engine/process.ts";
import { recording } from "./recording.ts";
import { allEvents, expectOneTree, isPraised } from "./whole-trace.ts";
import {
  askLater,
  charging,
  news,
  orders,
  parcels,
  place,
  processors,
  progress,
} from "./workflow.ts";

const definitions = { projections: [progress], processors, deadlines: [askLater] };

test("over Postgres, capture and log a long workflow is one trace, told with rows and notices", async () => {
  const folder = join(await temporaryFolder(), "data");
  const performers = [charging];
  const { tracer, spans } = recording();
  await using domain = await Embedded.start({ folder, performers, tracer, ...definitions });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const correlationId = "0af76519-16cd-43dd-8448-eb211c80319c";
  const origin = { correlationId, causationId: "POST /orders 1" };
  await domain.execute(place({ order: "a" }), origin);
  await using stores = await openStores({
    url: domain.databaseUrl,
    migrations: [],
    name: "trace",
    metrics: noMetrics,
    schema: "require",
    others: "possible",
    report: () => undefined,
  });
  await until("it is praised", () => isPraised(stores.eventStore), 20_000);
  await domain.settled();
  expectOneTree(await allEvents(stores.eventStore), { ...origin, traceId });
  const told = spans().filter((span) => span.spanContext().traceId === traceId);
  const names = told.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["send way-orders", "process way-orders"]));

  const { rows: notices } = await stores.pool.query<Record<string, string>>(
    `select ce_correlationid, split_part(traceparent, '-', 2) as trace,
       ce_causationid in (select ce_id from refold.events) as caused from refold.notices`,
  );
  expect(notices.length).toBeGreaterThanOrEqual(1);
  for (const notice of notices) {
    expect(notice).toEqual({ ce_correlationid: correlationId, trace: traceId, caused: true });
  }

  const eventTopics = [orders, parcels, news];
  const named = { projections: [progress], eventTopics, transactionTags: ["order"] };
  const sources = traceSources(stores, named);
  for (const id of ["a", correlationId, traceId]) {
    const trace = await traceOf(sources, id);
    expect(trace).toMatchObject({ events: 5, traceIds: [traceId], tags: ["order:a"], cut: false });
    const kinds = trace?.timeline.map(({ kind }) => kind) ?? [];
    const count = (kind: string) => kinds.filter((one) => one === kind).length;
    expect([count("cause"), count("event"), count("effect")]).toEqual([1, 5, 3]);
    // Flushes coalesce: a notice may tell of several events.
    expect(count("notice")).toBeGreaterThanOrEqual(1);
    expect(count("notice")).toBeLessThanOrEqual(3);
    const rows = trace?.timeline.flatMap((one) => (one.kind === "event" ? one.rows : []));
    expect(rows?.map(({ state }) => state)).toEqual(["applied", "applied", "applied"]);
  }
});
