/** Debezium's connectors as Refold wants them, and how they are put into Kafka Connect. */
export { applyConnectors, differing, reasonIn, type AppliedConnector } from "./apply.ts";
export { avroConverters } from "./avro-converter.ts";
export { ConnectClient, type ConnectorConfig, type ConnectorStatus } from "./connect-client.ts";
export {
  catalogueConnector,
  eventsConnector,
  type DebeziumConnector,
  type DebeziumSource,
} from "./connectors.ts";
export { readSlots, type SlotFacts } from "./source-database.ts";
export { whileStopped, type ConnectorWait } from "./stopping.ts";
