import { defaultEventRouter, type EventRouter } from "../routing/event-router.ts";
import { splitList, type ConfigReader } from "./config-reader.ts";

const routerType = "io.debezium.transforms.outbox.EventRouter";

/** The one transformation that is supported; undefined where there is none. */
export function eventRouterOf(config: ConfigReader): EventRouter | undefined {
  const names = splitList(config.textOr("transforms", ""));
  const name = names[0];
  if (name === undefined) {
    avroBy(config, "key.converter");
    avroBy(config, "value.converter");
    return undefined;
  }
  if (names.length > 1) config.fault(`transforms=${names.join(",")} (one Outbox Event Router)`);
  const prefix = `transforms.${name}`;
  const type = config.text(`${prefix}.type`);
  if (type !== routerType) config.fault(`${prefix}.type=${type} (supported: ${routerType})`);
  return routerOf(config, prefix);
}

function routerOf(config: ConfigReader, prefix: string): EventRouter {
  const otherwise = defaultEventRouter;
  const text = (name: string, value: string): string => config.textOr(`${prefix}.${name}`, value);
  // It names a column that nothing is made of any more.
  config.ignore(`${prefix}.table.field.event.type`);
  return {
    fields: {
      eventId: text("table.field.event.id", otherwise.fields.eventId),
      eventKey: text("table.field.event.key", otherwise.fields.eventKey),
      payload: text("table.field.event.payload", otherwise.fields.payload),
      timestamp: config.text(`${prefix}.table.field.event.timestamp`),
      schemaVersion: config.text(`${prefix}.table.field.event.schema.version`),
    },
    routeByField: text("route.by.field", otherwise.routeByField),
    topicExpression: topicExpression(config, `${prefix}.route.topic.regex`),
    topicReplacement: text("route.topic.replacement", otherwise.topicReplacement),
    emptyPayload: config.flag(`${prefix}.route.tombstone.on.empty.payload`, false)
      ? "tombstone"
      : "null-payload",
    additional: additionalOf(config, `${prefix}.table.fields.additional.placement`),
    additionalMissing: config.oneOf(
      `${prefix}.table.field.additional.missing`,
      ["error", "ignore"],
      "error",
    ),
    jsonPayload: config.flag(`${prefix}.table.expand.json.payload`, false) ? "expanded" : "text",
    jsonNulls:
      config.oneOf(
        `${prefix}.table.json.payload.null.behavior`,
        ["ignore", "optional_bytes"],
        "ignore",
      ) === "ignore"
        ? "left-out"
        : "bytes",
    invalidOperation: config.oneOf(
      `${prefix}.table.op.invalid.behavior`,
      ["warn", "error", "fatal"],
      otherwise.invalidOperation,
    ),
    values: valuesBy(config),
    keys: keysBy(config),
  };
}

/** It has to match the whole routing value, and its case. */
function topicExpression(config: ConfigReader, name: string): RegExp {
  const text = config.text(name);
  if (text === undefined) return defaultEventRouter.topicExpression;
  try {
    return new RegExp(`^(?:${text})$`);
  } catch {
    config.fault(`${name}: the expression ${text} can't be read`);
    return defaultEventRouter.topicExpression;
  }
}

/** `column:placement:alias,...` */
function additionalOf(config: ConfigReader, name: string): EventRouter["additional"] {
  return splitList(config.textOr(name, "")).flatMap((item) => {
    const [column = "", placement = "", alias = column] = item.split(":");
    if (placement === "header" || placement === "envelope" || placement === "partition") {
      return [{ column, placement, alias }];
    }
    config.fault(`${name}: ${item}`);
    return [];
  });
}

const stringConverter = "org.apache.kafka.connect.storage.StringConverter";
const binaryConverter = "io.debezium.converters.BinaryDataConverter";
const jsonConverter = "org.apache.kafka.connect.json.JsonConverter";
const delegate = "value.converter.delegate.converter.type";

function valuesBy(config: ConfigReader): EventRouter["values"] {
  const converter = config.text("value.converter");
  if (converter === binaryConverter) {
    const inner = config.text(delegate);
    if (inner !== undefined && inner !== jsonConverter) config.fault(`${delegate}=${inner}`);
    if (config.flag(`${delegate}.schemas.enable`, true)) {
      config.fault(`${delegate}.schemas.enable=true`);
    }
    return "bytes";
  }
  if (converter === stringConverter) return "text";
  if (converter === jsonConverter) return withoutSchemas(config, "value.converter");
  return avroBy(config, "value.converter");
}

function withoutSchemas(config: ConfigReader, side: string): "json" {
  const name = `${side}.schemas.enable`;
  if (config.flag(name, true)) config.fault(`${name}=true`);
  return "json";
}

/** An Avro converter's own settings are those of its registry, which the capture has from elsewhere. */
function avroBy(config: ConfigReader, side: string): "avro" {
  const converter = config.text(side);
  config.ignore(...config.namesWith(`${side}.`));
  if (converter !== undefined && !converter.endsWith("AvroConverter")) {
    config.fault(`${side}=${converter}`);
  }
  return "avro";
}

function keysBy(config: ConfigReader): EventRouter["keys"] {
  const converter = config.text("key.converter");
  if (converter === stringConverter) return "text";
  if (converter === jsonConverter) return withoutSchemas(config, "key.converter");
  return avroBy(config, "key.converter");
}
