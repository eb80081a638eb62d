/** A step of the database's schema, as the Postgres connector applies it. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}
