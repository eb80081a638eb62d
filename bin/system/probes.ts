import { buildProbes, type HealthSources } from "../../api/index.ts";
import type { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { type Listening, listenOn } from "../port.ts";
import { type ProbesPlace, probesPortFirst } from "../probes-place.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";

/** Processes of one machine that find ports of their own; the next is to be given one. */
const portsTried = 32;

export interface ListeningProbes extends Listening {
  /** From now on the process says that it isn't ready. */
  drain(): void;
}

/** Serves health and metrics alone. @throws CommandFailure when no port can be had. */
export async function listenProbes(
  { host, port }: ProbesPlace,
  sources: HealthSources & { readonly metrics: PrometheusMetrics },
): Promise<ListeningProbes> {
  let draining = false;
  const ports = port === undefined ? ownPorts() : [port];
  for (const [at, one] of ports.entries()) {
    const random = new SystemRandom();
    const app = buildProbes({ ...sources, clock: systemClock, random, draining: () => draining });
    try {
      const listening = await listenOn(app, { host, port: one });
      return { ...listening, drain: () => void (draining = true) };
    } catch (error) {
      const taken = error instanceof CommandFailure && error.exit === "portTaken";
      if (!taken || at === ports.length - 1) throw error;
    }
  }
  throw new RangeError("Probes need a port.");
}

const ownPorts = (): number[] =>
  Array.from({ length: portsTried }, (_, at) => probesPortFirst + at);
