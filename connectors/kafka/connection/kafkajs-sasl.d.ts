/** The part of kafkajs that is used: its SASL mechanisms. It has no types of its own. */
declare module "kafkajs/src/broker/saslAuthenticator/index.js" {
  interface Exchange {
    readonly request: {
      readonly apiKey: number;
      readonly apiVersion: number;
      readonly apiName: string;
      encode(): Promise<{ readonly buffer: Buffer }>;
    };
    readonly response: {
      decode(bytes: Buffer): Promise<unknown>;
      parse(answer: unknown): Promise<unknown>;
    };
  }

  interface Logger {
    namespace(name: string): Logger;
    debug(): void;
    info(): void;
    warn(): void;
    error(): void;
  }

  export default class SASLAuthenticator {
    constructor(
      connection: {
        readonly host: string;
        readonly port: number;
        readonly sasl: object;
        send(exchange: Exchange): Promise<unknown>;
      },
      logger: Logger,
      versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>,
      supportAuthenticationProtocol: boolean,
    );
    authenticate(): Promise<void>;
  }
}
