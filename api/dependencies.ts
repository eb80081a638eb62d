import type { FastifyBaseLogger } from "fastify";

import type { CommandCall } from "../engine/decision/definition.ts";
import type { CallMore } from "../engine/decision/group.ts";
import type { CommandResult, Origin } from "../engine/decision/outcome.ts";
import type { History } from "../engine/history/past-reader.ts";
import type { Clock, Random } from "../engine/ports/clock.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { EventStore } from "../engine/ports/event-store.ts";
import type { IdempotencyKeys } from "../engine/ports/idempotency-keys.ts";
import type { Metrics } from "../engine/ports/metrics.ts";
import type { Generations } from "../engine/ports/generations.ts";
import type { ReadModelReader } from "../engine/ports/read-model-reader.ts";
import type { Rebuilds } from "../engine/ports/rebuilds.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import type { SubjectRegistry } from "../engine/ports/subject-registry.ts";
import type { Tracer } from "../engine/ports/tracing.ts";
import type { Access } from "./access/contract.ts";
import type { LetterAdministration } from "./dead-letters/administration.ts";
import type { LiveSources } from "./live/sources.ts";
import type { PaymentWebhook } from "../processors/payments/index.ts";
import type { ServerTls } from "./http-server.ts";
import type { TrustedProxies } from "./limits/trusted-proxies.ts";
import type { ApiOptions } from "./options.ts";
import type { TraceAdministration } from "./traces/administration.ts";

/** Decides commands: the engine's `Decider`. */
export interface CommandExecutor {
  execute<Answer>(
    call: CommandCall<Answer>,
    origin: Origin,
    more?: CallMore<Answer>,
  ): Promise<CommandResult<Answer>>;
}

/** How one consumer (a projection, a processor, the capture) stands. */
export interface ConsumerHealth {
  readonly consumer: string;
  /** `running`, or what it does instead. */
  readonly state: string;
  /** Milliseconds since it had applied all that its source held; undefined: it never had. */
  readonly ageMs: number | undefined;
  /** Why it isn't running; or, of one that is, what somebody should look at. */
  readonly reason?: string | undefined;
  /** Keys whose records wait behind a dead letter (default 0). It runs all the same. */
  readonly parkedKeys?: number;
}

/** How a store that is asked beside the one that commits first stands with one projection. */
export interface CopyHealth {
  readonly store: string;
  readonly projection: string;
  /** `behind`: so far that the store that commits first is asked instead. */
  readonly state: "current" | "behind";
  /** Milliseconds since it had all that was committed; undefined: it was not seen to have it. */
  readonly ageMs: number | undefined;
  /** Partitions that lacked something at the last look, in their order. */
  readonly partitionsBehind: readonly number[];
  /** Rows that this process has committed and not yet brought there. */
  readonly rowsWaiting: number;
  readonly reason: string | undefined;
}

/** What probes and metrics are answered from. */
export interface HealthSources {
  readonly health: () => readonly ConsumerHealth[] | Promise<readonly ConsumerHealth[]>;
  /** Told, and never a reason not to be ready; without it there are none. */
  readonly copies?: () => readonly CopyHealth[];
  /** All metrics in the Prometheus text format. */
  readonly metricsText: () => Promise<string>;
}

/** What is asked about rebuilds of read models, and of which. */
export interface RebuildAdministration {
  readonly rebuilds: Pick<Rebuilds, "start" | "find" | "list" | "wish">;
  readonly generations: Pick<Generations, "turns">;
  readonly projections: readonly { readonly name: string; readonly version: number }[];
}

/** All that the API works with. */
export interface ApiDependencies extends HealthSources {
  readonly decider: CommandExecutor;
  /** Providers that tell outcomes of payments over HTTP (default: none). */
  readonly webhooks?: readonly PaymentWebhook[];
  /** Where the decider's store keeps the answers to commands that came with a key. */
  readonly idempotencyKeys: Pick<IdempotencyKeys, "find">;
  readonly eventStore: Pick<EventStore, "append" | "read" | "lanes" | "incarnation">;
  readonly reader: ReadModelReader;
  /** Answers queries that ask `at` a time of the past. */
  readonly history: Pick<History, "rowAsOf" | "reader">;
  readonly codec: Pick<EventCodec, "events">;
  readonly log: Pick<RecordLog, "bounds" | "read">;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Told of every request (default: nobody is). The decider has its own. */
  readonly tracer?: Tracer;
  /** For what goes wrong; requests are counted, not logged. */
  readonly logger?: FastifyBaseLogger;
  /** Age of a projection's read model in milliseconds; undefined where it isn't known here. */
  readonly ageMs: (projection: string) => number | undefined;
  /**
   * How long a request that the event loop has come to now may have waited for it, in milliseconds
   * (default: not at all). Asked at every request.
   */
  readonly loopLagMs?: () => number;
  /** Served under `/registry`; without it there is nothing there. */
  readonly registry?: SubjectRegistry;
  /** Who may do what; without it everything is open to everybody. */
  readonly access?: Access;
  /** Served under `/admin/rebuilds`; without it there is nothing there. */
  readonly administration?: RebuildAdministration;
  /** Served under `/admin/traces` and `/admin/why`; without it there is nothing there. */
  readonly traces?: TraceAdministration;
  /** Served under `/admin/status`, `/live` and `/ws/live`; without it there is nothing there. */
  readonly live?: LiveSources;
  /** Served under `/admin/dead-letters`; without it there is nothing there. */
  readonly letters?: LetterAdministration;
  /** Left out: the server speaks HTTP without TLS. */
  readonly tls?: ServerTls;
  /** Left out: a client's address is that of its connection, whatever a header says. */
  readonly trustedProxies?: TrustedProxies;
  readonly options?: Partial<ApiOptions>;
}
