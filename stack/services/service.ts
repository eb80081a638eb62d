/** A server that was started here and is stopped by its starter. */
export interface Service {
  readonly name: string;
  /** How clients reach it: a connection URL, or `host:port` of a broker. */
  readonly url: string;
  readonly pid: number;
  /** Ends it in an orderly way, or by force when it takes too long. */
  stop(): Promise<void>;
}

/** Where the services keep what they need. */
export interface ServiceFolders {
  /** Downloads, kept from one start to the next. */
  readonly cache: string;
  /** Data and logs of this start. */
  readonly data: string;
}

/** A service could not be started; the message says why and what to do. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
}
