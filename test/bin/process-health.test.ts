import { expect, test } from "vitest";

import { ProcessHealth } from "../../bin/system/process-health.ts";
import type { System } from "../../bin/system.ts";
import type { ConsumerHealth } from "../../api/index.ts";
import { PrometheusMetrics } from "../../connectors/prometheus/index.ts";

const seats = { consumer: "seats", state: "running", ageMs: 5, reason: undefined } as const;

const consumersThatSay = (
  ...health: readonly ConsumerHealth[]
): NonNullable<System["consumers"]> => ({
  failed: new Promise(() => undefined),
  health: () => health,
  ageMs: () => undefined,
  applied: () => true,
  caughtUp: () => true,
  owns: () => true,
  [Symbol.asyncDispose]: async () => undefined,
});

interface Given {
  readonly own?: readonly ConsumerHealth[];
  /** What other processes say of any consumer. */
  readonly elsewhere?: Omit<ConsumerHealth, "consumer">;
}

function healthOfTest({ own, elsewhere }: Given): readonly ConsumerHealth[] {
  const health = new ProcessHealth({ name: "worker", metrics: new PrometheusMetrics() });
  expect(health.health()).toMatchObject([{ consumer: "worker", state: "starting" }]);
  const consumers = own && consumersThatSay(...own);
  const others = elsewhere && {
    health: (names: readonly string[]) => names.map((consumer) => ({ ...elsewhere, consumer })),
  };
  const stores = { copies: () => [] };
  health.started({ system: { capture: undefined, consumers }, stores, others });
  return health.health();
}

test("a consumer of which a worker owns nothing stands as others say", () => {
  const own = [seats, { ...seats, consumer: "catalogue", state: "created", ageMs: undefined }];
  const elsewhere = { state: "running", ageMs: 700 };
  expect(healthOfTest({ own, elsewhere })).toEqual([
    seats,
    { consumer: "catalogue", state: "running", ageMs: 700 },
  ]);
});

test("a consumer that nobody else has either is told as it stands here", () => {
  const own = [{ ...seats, state: "created", ageMs: undefined }];
  const elsewhere = { state: "absent", ageMs: undefined };
  expect(healthOfTest({ own, elsewhere })).toEqual(own);
  expect(healthOfTest({ own })).toEqual(own);
});

test("a process without consumers tells what others say, and a capture's alone nothing", () => {
  const told = healthOfTest({ elsewhere: { state: "running", ageMs: 3 } });
  expect(told.map(({ consumer }) => consumer)).toContain("seat-availability");
  expect(healthOfTest({})).toEqual([]);
});
