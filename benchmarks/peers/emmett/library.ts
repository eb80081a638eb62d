import { installPeer } from "../install.ts";

/** An event as Emmett takes it: its data becomes JSON. */
export interface EmmettEvent<Data = unknown> {
  readonly type: string;
  readonly data: Data;
}

export interface EmmettStore {
  readonly schema: { migrate(): Promise<unknown> };
  /** @throws Error when the stream isn't at the expected version. */
  appendToStream(
    stream: string,
    events: readonly EmmettEvent[],
    options: { readonly expectedStreamVersion: bigint | "STREAM_DOES_NOT_EXIST" },
  ): Promise<{ readonly nextExpectedStreamVersion: bigint }>;
  close(): Promise<void>;
}

/** A projection that keeps a document for each stream, in a table of that name. */
export interface EmmettDocuments<Document, Data> {
  readonly collectionName: string;
  readonly canHandle: readonly string[];
  initialState(): Document;
  evolve(document: Document, event: EmmettEvent<Data>): Document;
}

export type EmmettProjection = object;

export interface EmmettRebuild {
  readonly connectionString: string;
  readonly projections: readonly EmmettProjection[];
  readonly pulling: { readonly batchSize: number };
}

/** What is used here of `@event-driven-io/emmett-postgresql`. */
export interface EmmettLibrary {
  getPostgreSQLEventStore(
    url: string,
    options: { readonly schema: { readonly autoMigration: "None" } },
  ): EmmettStore;
  pongoSingleStreamProjection<Document, Data>(
    of: EmmettDocuments<Document, Data>,
  ): EmmettProjection;
  /** Truncates the projections' tables, and fills them when it is started, up to the last event. */
  rebuildPostgreSQLProjections(of: EmmettRebuild): {
    start(): Promise<void>;
    close(): Promise<void>;
  };
}

// Not written into the import: TypeScript would look for a package that isn't there yet.
const name = "@event-driven-io/emmett-postgresql";

/** @throws PeerMissing when it can't be had. */
export async function emmettLibrary(): Promise<EmmettLibrary & { readonly version: string }> {
  const versions = await installPeer(import.meta.dirname);
  const library = (await import(name)) as EmmettLibrary;
  return { ...library, version: versions.get(name) ?? "unknown" };
}
