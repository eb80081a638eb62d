import type { ConsumerHealth, CopyHealth, HealthSources } from "../../api/index.ts";
import type { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import type { System } from "../system.ts";
import type { BoardView } from "./board-view.ts";
import { application } from "./definitions.ts";
import type { ReadModels } from "./open-read-models.ts";

const consumerNames = [...application.projections, ...application.processors].map(
  ({ name }) => name,
);

interface Parts {
  readonly system: Pick<System, "capture" | "consumers">;
  readonly stores: Pick<ReadModels, "copies">;
  /** What other processes on this database say; undefined where it doesn't matter here. */
  readonly others: Pick<BoardView, "health"> | undefined;
}

/** What a process tells of itself, from its first moment on. */
export class ProcessHealth implements HealthSources {
  readonly metrics: PrometheusMetrics;
  readonly #name: string;
  #parts: Parts | undefined;

  constructor(of: { readonly name: string; readonly metrics: PrometheusMetrics }) {
    this.#name = of.name;
    this.metrics = of.metrics;
  }

  started(parts: Parts): void {
    this.#parts = parts;
  }

  readonly metricsText = (): Promise<string> => this.metrics.text();

  readonly copies = (): readonly CopyHealth[] => this.#parts?.stores.copies() ?? [];

  readonly health = (): readonly ConsumerHealth[] => {
    if (this.#parts === undefined) {
      const reason = "its servers are connected to, and its parts started";
      return [{ consumer: this.#name, state: "starting", ageMs: undefined, reason }];
    }
    const { system, others } = this.#parts;
    const { capture, consumers } = system;
    const own = consumers?.health();
    return [
      ...(capture ? [captureHealth(capture)] : []),
      ...(own?.map((one) => standIn(one, others)) ?? others?.health(consumerNames) ?? []),
    ];
  };
}

function captureHealth({ failure, lagMs }: NonNullable<System["capture"]>): ConsumerHealth {
  const state = failure ? "halted" : "running";
  return { consumer: "capture", state, ageMs: lagMs, reason: failure?.message };
}

/** A worker beside which others have all partitions of a consumer is as ready as they are. */
function standIn(own: ConsumerHealth, others: Parts["others"]): ConsumerHealth {
  if (own.state !== "created") return own;
  const [told] = others?.health([own.consumer]) ?? [];
  return told === undefined || told.state === "absent" ? own : told;
}
