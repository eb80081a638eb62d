import { escapeIdentifier, type PoolClient } from "pg";

export interface OwnedRelation {
  readonly schema: string;
  /** Qualified and quoted. */
  readonly relation: string;
}

/**
 * A table or view becomes its schema's owner's where we are a member of that role: several roles make
 * and drop read models, and each may drop what another has made. Otherwise it stays ours.
 */
export async function giveToSchemaOwner(client: PoolClient, owned: OwnedRelation): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    `select pg_get_userbyid(nspowner)::text as owner from pg_namespace
     where nspname = $1 and pg_get_userbyid(nspowner) <> current_user
       and pg_has_role(nspowner, 'member')`,
    [owned.schema],
  );
  const [found] = rows;
  if (found === undefined) return;
  await client.query(`alter table ${owned.relation} owner to ${escapeIdentifier(found.owner)}`);
}
