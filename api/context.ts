import type { IncomingMessage, Server, ServerResponse } from "node:http";

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";

import type { Tickets } from "./access/tickets.ts";
import type { ApiDependencies } from "./dependencies.ts";
import type { KeysInUse } from "./idempotency/keys-in-use.ts";
import type { LiveFeed } from "./live/live-feed.ts";
import type { ApiOptions } from "./options.ts";
import type { RequestedPayments } from "./payments/requested.ts";
import type { PositionWaits } from "./position-waits.ts";
import type { UpdateFeed } from "./updates/feed.ts";

/** A server whose handlers get their types from the routes' schemas. */
export type ApiServer = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What routes share. */
export interface ApiContext {
  readonly deps: ApiDependencies;
  readonly options: ApiOptions;
  /** undefined on a server that is open to everybody. */
  readonly tickets: Tickets | undefined;
  readonly waits: PositionWaits;
  readonly keysInUse: KeysInUse;
  readonly feed: UpdateFeed;
  /** Of what the system does; undefined where nobody tells it. */
  readonly liveFeed: LiveFeed | undefined;
  readonly logger: FastifyBaseLogger;
  readonly requestedPayments: RequestedPayments;
  /** How many resumed streams are replaying now. */
  readonly replays: { open: number };
}
