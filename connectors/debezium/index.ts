/** Debezium's connectors as Refold wants them, and how they are put into Kafka Connect. */
export {
  applyConnectors,
  differing,
  reasonIn,
  type AppliedConnector,
  type ApplyOptions,
  type Recapture,
} from "./apply.ts";
export { avroConverters } from "./avro-converter.ts";
export {
  ConnectClient,
  type ConnectorConfig,
  type ConnectorOffset,
  type ConnectorStatus,
} from "./connect-client.ts";
export {
  catalogueConnector,
  eventsConnector,
  type DebeziumConnector,
  type DebeziumSource,
} from "./connectors.ts";
export {
  placeAt,
  placeFault,
  publishedLsn,
  type ConnectorPlace,
  type PlaceFault,
} from "./place.ts";
export { readSlots, type SlotFacts } from "./source-database.ts";
export { whileStopped, type ConnectorWait } from "./stopping.ts";
