import { FatalError } from "../../engine/errors.ts";
import type { ConnectorConfig } from "./connect-client.ts";

const apicurio = "io.apicurio.registry.utils.converter.AvroConverter";
const confluent = "io.confluent.connect.avro.AvroConverter";

/** Where Apicurio's Confluent-compatible routes begin; its converter speaks its own ones. */
const compatiblePath = /\/apis\/ccompat\/v\d+\/?$/;

/**
 * The options of a connector that writes Avro in the Confluent wire format, with the converter that
 * fits the registry: Apicurio's converter speaks Apicurio's own routes alone.
 *
 * @param plugins Class names that the worker has.
 * @throws FatalError `converter-missing`
 */
export function avroConverters(registryUrl: string, plugins: ReadonlySet<string>): ConnectorConfig {
  const url = new URL(registryUrl);
  if (compatiblePath.test(url.pathname) && plugins.has(apicurio)) return apicurioConverters(url);
  if (plugins.has(confluent)) return confluentConverters(url);
  const wanted = compatiblePath.test(url.pathname) ? `${apicurio} or ${confluent}` : confluent;
  throw new FatalError(
    "converter-missing",
    `The Connect worker has no Avro converter for the registry at ${url.host}: ${wanted} is wanted.`,
    "Add it to a folder of the worker's plugin.path and restart the worker.",
  );
}

function apicurioConverters(url: URL): ConnectorConfig {
  const prefix = "apicurio.registry";
  return onBothSides(apicurio, {
    [`${prefix}.url`]: new URL(url.pathname.replace(compatiblePath, "/apis/registry/v2"), url).href,
    [`${prefix}.as-confluent`]: "true",
    [`${prefix}.use-id`]: "contentId",
    [`${prefix}.headers.enabled`]: "false",
    [`${prefix}.auto-register`]: "true",
    [`${prefix}.find-latest`]: "false",
  });
}

function confluentConverters(url: URL): ConnectorConfig {
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const plain = new URL(url);
  plain.username = "";
  plain.password = "";
  return onBothSides(confluent, {
    "schema.registry.url": plain.href,
    "auto.register.schemas": "true",
    ...(user === ""
      ? {}
      : {
          "basic.auth.credentials.source": "USER_INFO",
          "basic.auth.user.info": `${user}:${password}`,
        }),
  });
}

function onBothSides(converter: string, options: ConnectorConfig): ConnectorConfig {
  const sides = ["key.converter", "value.converter"];
  return Object.fromEntries(
    sides.flatMap((side) => [
      [side, converter],
      ...Object.entries(options).map(([name, value]) => [`${side}.${name}`, value]),
    ]),
  );
}
