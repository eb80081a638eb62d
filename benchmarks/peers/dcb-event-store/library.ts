import type { Pool, PoolConfig } from "pg";

import { installPeer } from "../install.ts";

/** A position, or a set of tags: values of its own that are only handed on here. */
export type Opaque = object;

export interface DcbAppend {
  readonly events: readonly {
    readonly type: string;
    readonly tags: Opaque;
    readonly data: unknown;
    readonly metadata: unknown;
  }[];
  readonly condition: { readonly failIfEventsMatch: Opaque; readonly after?: Opaque };
}

export interface DcbStore {
  ensureInstalled(): Promise<void>;
  /** Gives the last event's position. @throws Error when events match the condition. */
  append(command: DcbAppend): Promise<Opaque>;
}

/** What is used here of `@dcb-es/event-store`, its Postgres store, and the `pg` that it has. */
export interface DcbLibrary {
  readonly Tags: { from(values: readonly string[]): Opaque };
  readonly Query: {
    fromItems(
      items: readonly { readonly types: readonly string[]; readonly tags: Opaque }[],
    ): Opaque;
  };
  readonly PostgresEventStore: new (options: {
    readonly pool: Pool;
    readonly tablePrefix: string;
  }) => DcbStore;
  readonly Pool: new (config: PoolConfig) => Pool;
}

// Not written into the imports: TypeScript would look for packages that aren't there yet.
const core = "@dcb-es/event-store";
const postgres = "@dcb-es/event-store-postgres";
const driver = "pg";

/** @throws PeerMissing when it can't be had. */
export async function dcbLibrary(): Promise<DcbLibrary & { readonly version: string }> {
  const versions = await installPeer(import.meta.dirname);
  const { Tags, Query } = (await import(core)) as DcbLibrary;
  const { PostgresEventStore } = (await import(postgres)) as DcbLibrary;
  const { Pool } = ((await import(driver)) as { readonly default: DcbLibrary }).default;
  return { Tags, Query, PostgresEventStore, Pool, version: versions.get(postgres) ?? "unknown" };
}
