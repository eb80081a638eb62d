import type { Migration } from "../../connectors/postgres/migrations.ts";
import type { DeadlineType } from "../../engine/deadline.ts";
import type { EffectPerformer } from "../../engine/effect.ts";
import type { Tracer } from "../../engine/ports/tracing.ts";
import type { AnyProcessor } from "../../engine/processor.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import type { AnyTopic, EventTopic } from "../../engine/topic.ts";
import { embeddedServers, type Servers } from "../servers.ts";
import type { Definitions } from "../system/definitions.ts";

export interface EmbeddedOptions {
  /** Where everything is kept; made where it isn't there. One process at a time holds it. */
  readonly folder: string;
  readonly projections?: readonly AnyProjection[];
  readonly processors?: readonly AnyProcessor[];
  /** What decisions wait for. */
  readonly deadlines?: readonly DeadlineType[];
  /** Who performs effects on the outside world, one for each kind. */
  readonly performers?: readonly EffectPerformer[];
  /** Topics that commands write to beside those that are read or notified. */
  readonly topics?: readonly EventTopic[];
  /**
   * A Redis (`redis://`, `rediss://`) that follows the projections which name `redis` among their
   * stores, and is asked first. Left out: Postgres alone; the environment isn't read.
   */
  readonly redisUrl?: string;
  /** Steps of the domain's own tables: those whose changes are captured, say. */
  readonly migrations?: readonly Migration[];
  /**
   * What a new version of a projection does: `auto` rebuilds it beside what serves and swaps it in;
   * `manual` waits for `rebuild`, and what serves stays as it is (default `auto`).
   */
  readonly newVersions?: "auto" | "manual";
  /**
   * Gets a span of every decision, batch and try at an effect (default: those of the OpenTelemetry
   * SDK that was registered before this package was loaded; without one, nobody).
   */
  readonly tracer?: Tracer;
  /** Told what goes wrong and is tried again (default: written to standard error). */
  readonly report?: (message: string) => void;
}

/** @throws TypeError where an address can't be one. */
export function serversOfOptions({ redisUrl }: EmbeddedOptions): Servers {
  if (redisUrl !== undefined && !/^rediss?:$/.test(schemeOf(redisUrl))) {
    throw new TypeError(
      `redisUrl must be redis://host:port or rediss://host:port, not ${JSON.stringify(redisUrl)}.`,
    );
  }
  return { ...embeddedServers, redisUrl };
}

const schemeOf = (url: string): string => (URL.canParse(url) ? new URL(url).protocol : "");

/** What the options say to run: topics are found in the definitions that read or notify. */
export function definitionsOf(options: EmbeddedOptions): Definitions {
  const { projections = [], processors = [], deadlines = [] } = options;
  const { topics = [], migrations = [] } = options;
  const read = [...projections, ...processors].flatMap((one): readonly AnyTopic[] =>
    one.kind === "events" ? one.from : [one.from],
  );
  const notified = projections.flatMap(({ notify }) => (notify ? [notify.to] : []));
  const all: readonly AnyTopic[] = [...topics, ...read, ...notified];
  const byName = new Map(all.map((topic) => [topic.name, topic]));
  return {
    projections,
    processors,
    deadlines,
    eventTopics: [...byName.values()].filter((topic) => topic.kind === "events"),
    changeTopics: [...byName.values()].filter((topic) => topic.kind === "changes"),
    slotName: "refold",
    transactionTags: [],
    migrations,
  };
}
