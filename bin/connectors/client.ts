import { ConnectClient } from "../../connectors/debezium/index.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Servers } from "../servers.ts";

/** @throws CommandFailure `usage` where no worker is named. */
export function connectClientOf({ connectUrl, kafka }: Servers): ConnectClient {
  if (connectUrl !== undefined && kafka !== undefined)
    return new ConnectClient({ url: connectUrl });
  throw new CommandFailure(
    "usage",
    "Set CONNECT_URL to a worker of Kafka Connect, and KAFKA_BROKERS to the brokers it writes to.",
  );
}
