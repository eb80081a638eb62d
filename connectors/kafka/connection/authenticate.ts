import SASLAuthenticator from "kafkajs/src/broker/saslAuthenticator/index.js";

import { FatalError, TransientError } from "../../../engine/errors.ts";
import type { ApiRange } from "../requests/api-versions.ts";
import type { Address, KafkaSasl } from "./options.ts";

/** What a connection must do before it is authenticated: exchange bytes. */
export interface RawConnection {
  readonly address: Address;
  exchange(
    api: { readonly name: string; readonly apiKey: number; readonly apiVersion: number },
    body: Uint8Array,
  ): Promise<Buffer>;
}

const silent = {
  namespace: () => silent,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * Authenticates by kafkajs' mechanisms over a connection of ours. A broker that ends sessions after
 * a time closes the connection, and the next one authenticates anew.
 *
 * @throws FatalError `kafka-authentication` when the broker refuses.
 */
export async function authenticate(
  connection: RawConnection,
  sasl: KafkaSasl,
  versions: readonly ApiRange[],
): Promise<void> {
  const { host, port } = connection.address;
  const authenticator = new SASLAuthenticator(
    {
      host,
      port,
      // A copy: the authenticator writes into it.
      sasl: { ...sasl },
      send: async ({ request, response }) => {
        const { apiName, apiKey, apiVersion } = request;
        const body = (await request.encode()).buffer;
        const api = { name: apiName, apiKey, apiVersion };
        const payload = await connection.exchange(api, body);
        return response.parse(await response.decode(payload));
      },
    },
    silent,
    Object.fromEntries(versions.map((range) => [range.apiKey, range])),
    true,
  );
  try {
    await authenticator.authenticate();
  } catch (error) {
    // A connection that is lost meanwhile says nothing about the credentials.
    if (error instanceof TransientError) throw error;
    throw new FatalError(
      "kafka-authentication",
      `Kafka at ${host}:${port} refused ${sasl.username} by ${sasl.mechanism.toUpperCase()}: ` +
        `${(error as Error).message}.`,
      "Check user, password and mechanism, and which of them the listener takes.",
      { cause: error },
    );
  }
}
