import { setTimeout as delay } from "node:timers/promises";

import type { Instance } from "../e2e/refold-instance.ts";
import { until } from "../e2e/refold-process.ts";
import type { Surge } from "./surge.ts";

/** Accepted registrations that a surge waits for before the fault comes, and after it. */
const someRegistrations = 100;

export async function untilAccepted(
  surge: Surge,
  { process: of }: Instance,
  more = someRegistrations,
): Promise<void> {
  const { accepted } = surge;
  await until(
    () => (surge.accepted >= accepted + more ? true : undefined),
    60_000,
    () => `${more} more registrations; ${JSON.stringify([...surge.answers.counts])}\n${of.err}`,
  );
}

/** Waits until nothing is behind or halted. */
export async function untilReady({ http, process: of }: Instance): Promise<void> {
  let told = "";
  await until(
    async () => {
      const response = await fetch(`${http}/readyz`);
      told = await response.text();
      return response.ok ? true : undefined;
    },
    60_000,
    () => `ready again: ${told}\n${of.err}`,
  );
}

/** Runs a surge on an instance while `faults` happen to it; its clients are gone afterwards. */
export async function during(
  surge: Surge,
  instance: Instance,
  faults: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const running = surge.run(instance, stop.signal);
  try {
    await untilAccepted(surge, instance);
    // Anywhere in the middle of what the server does.
    await delay(Math.random() * 200);
    await faults();
  } finally {
    stop.abort();
    await running;
  }
}
