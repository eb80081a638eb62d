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
export { placeAt, placeFault, publishedLsn, type PlaceFault } from "./place.ts";
export { removeConnector, type RemovingOptions } from "./removing.ts";
export { prepareSource, readSlots, type SlotFacts } from "./source-database.ts";
export { stopConnector, until, whileStopped, type ConnectorWait } from "./stopping.ts";
