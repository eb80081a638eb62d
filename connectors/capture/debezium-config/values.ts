import { defaultValueModes, type ValueModes } from "../types/value-modes.ts";
import type { ConfigReader } from "./config-reader.ts";

/** The options on values, with Debezium's defaults. */
export function valuesOf(config: ConfigReader): ValueModes {
  const unknown = config.flag("include.unknown.datatypes", false);
  return {
    decimal: config.oneOf("decimal.handling.mode", ["precise", "double", "string"], "precise"),
    time: config.oneOf(
      "time.precision.mode",
      [
        "adaptive",
        "adaptive_time_microseconds",
        "connect",
        "isostring",
        "microseconds",
        "nanoseconds",
      ],
      "adaptive",
    ),
    binary: config.oneOf(
      "binary.handling.mode",
      ["bytes", "base64", "base64-url-safe", "hex"],
      "bytes",
    ),
    interval: config.oneOf("interval.handling.mode", ["numeric", "string"], "numeric"),
    hstore: config.oneOf("hstore.handling.mode", ["json", "map"], "json"),
    moneyDecimals: config.count("money.fraction.digits", defaultValueModes.moneyDecimals),
    unavailable: config.textOr("unavailable.value.placeholder", defaultValueModes.unavailable),
    unknownTypes: unknown ? "bytes" : "left-out",
    ambiguous: "told",
  };
}
