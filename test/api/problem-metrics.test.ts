import { expect, test } from "vitest";

import type { Labels, Metrics } from "../../engine/ports/metrics.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { serverOfTest } from "./server.ts";

test("problems are counted by their route and code, and other answers are none", async () => {
  const counted: (Labels | undefined)[] = [];
  const count: Metrics["count"] = (name, _, labels) => {
    if (name === "http_problems_total") counted.push(labels);
  };
  const { app } = await serverOfTest({ deps: { metrics: { ...noMetrics, count } } });
  expect((await app.inject({ url: "/modules" })).statusCode).toBe(200);
  await app.inject({ url: "/modules?cursor=made-up" });
  await app.inject({ method: "POST", url: "/registrations", payload: { moduleCode: "MA101" } });
  await app.inject({ url: "/nowhere/at/all" });
  expect(counted).toEqual([
    { route: "/modules", method: "GET", status: "400", code: "cursor-invalid" },
    { route: "/registrations", method: "POST", status: "400", code: "validation" },
    { route: "none", method: "other", status: "404", code: "route-unknown" },
  ]);
});
