import type {
  ApplyOptions,
  ConnectClient,
  DebeziumConnector,
} from "../../connectors/debezium/index.ts";
import { changeSubjects } from "../../connectors/registry/index.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Place } from "../environment.ts";
import { systemClock } from "../system-clock.ts";
import { prepareTopics } from "../system.ts";
import { transactionTopic } from "../system/capture.ts";
import type { Connected } from "../system/connect.ts";
import { debeziumConnectors } from "../system/debezium.ts";
import { application } from "../system/definitions.ts";
import { checkFramingRegistry } from "../system/registry.ts";
import { recaptureFor } from "./recapture.ts";

export interface WantedPart {
  readonly place: Place;
  readonly connected: Connected;
  readonly connect: ConnectClient;
}

/** The application's connectors, as they should be. @throws CommandFailure `usage`. */
export async function wantedConnectors({
  place,
  connected,
  connect,
}: WantedPart): Promise<readonly DebeziumConnector[]> {
  const { registryUrl, fromConnect } = place.servers;
  const registry = fromConnect.registryUrl ?? registryUrl;
  if (registry === undefined) {
    throw new CommandFailure(
      "usage",
      "Set SCHEMA_REGISTRY_URL: the connector of the catalogue's tables writes Avro.",
    );
  }
  return debeziumConnectors({
    definitions: application,
    databaseUrl: fromConnect.databaseUrl ?? connected.url,
    registryUrl: registry,
    plugins: new Set((await connect.plugins()).keys()),
  });
}

/** Schemas and topics, before anything is published to them. */
export async function prepareLog(connected: Connected): Promise<void> {
  await checkFramingRegistry(connected);
  await prepareTopics(connected, application);
  await allowTableChanges(connected.registry);
}

/** A changed table must not stop its capture: the converter's subjects promise nothing. */
async function allowTableChanges(registry: SchemaRegistry): Promise<void> {
  for (const { name } of [...application.changeTopics, transactionTopic]) {
    const { key, value } = changeSubjects(name);
    for (const subject of [key, value]) {
      if ((await registry.compatibility(subject)) === "NONE") continue;
      await registry.setCompatibility("NONE", subject);
    }
  }
}

export interface ApplyPart {
  readonly connected: Connected;
  readonly connect: ConnectClient;
  readonly connectors: readonly DebeziumConnector[];
  readonly timeoutMs: number;
}

export function applyOptions({ connected, ...part }: ApplyPart) {
  const { pool, url } = connected;
  const { signal }: { readonly signal: AbortSignal } = new AbortController();
  return {
    ...part,
    pool,
    clock: systemClock,
    signal,
    recapture: recaptureFor({ definitions: application, stores: connected, url, signal }),
  } satisfies ApplyOptions;
}
